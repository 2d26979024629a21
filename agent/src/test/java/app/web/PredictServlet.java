package app.web;

import app.nn.Scale;
import app.nn.Stack;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;

/** A web application with its own network. */
public class PredictServlet extends HttpServlet {
  private static final long serialVersionUID = 1L;

  @Override
  protected void doGet(HttpServletRequest request, HttpServletResponse response)
      throws IOException {
    float[] out = new Stack(new Scale(3), new Scale(5)).forward(new float[] {1, 2});
    response.getWriter().print(out[0] + " " + out[1]);
  }
}
