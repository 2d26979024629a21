package app;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtSession;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * Runs a model of {@code x [N,2,2,2]} with onnxruntime in four threads, as its documentation shows,
 * and prints the outputs. Arguments: the file, {@code file} or {@code bytes}, and how many runs.
 */
public final class RunOnnx {
  private RunOnnx() {}

  public static void main(String[] arguments) throws Exception {
    OrtEnvironment environment = OrtEnvironment.getEnvironment();
    Path file = Path.of(arguments[0]);
    ExecutorService threads = Executors.newFixedThreadPool(4);
    try (OrtSession.SessionOptions options = new OrtSession.SessionOptions();
        OrtSession session =
            arguments[1].equals("file")
                ? environment.createSession(file.toString(), options)
                : environment.createSession(Files.readAllBytes(file), options)) {
      List<Callable<String>> runs = new ArrayList<>();
      for (int i = 0; i < Integer.parseInt(arguments[2]); i++) {
        int batch = 1 + i % 3;
        runs.add(() -> run(environment, session, batch));
      }
      for (Future<String> run : threads.invokeAll(runs)) {
        System.out.println(run.get());
      }
    } finally {
      threads.shutdown();
    }
    if (arguments[1].equals("bytes")) {
      System.out.println("protobuf: " + protobuf());
    }
  }

  private static String run(OrtEnvironment environment, OrtSession session, int batch)
      throws Exception {
    float[] values = new float[batch * 8];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) Math.sin(i + batch);
    }
    try (OnnxTensor input =
            OnnxTensor.createTensor(
                environment, FloatBuffer.wrap(values), new long[] {batch, 2, 2, 2});
        OrtSession.Result result = session.run(Map.of("x", input))) {
      OnnxTensor logits = (OnnxTensor) result.get(0);
      return Arrays.toString(logits.getInfo().getShape())
          + " "
          + Arrays.toString(logits.getByteBuffer().array());
    }
  }

  /** Which protobuf an application sees if it has its own, or none. */
  private static String protobuf() {
    try {
      return Class.forName("com.google.protobuf.Message").getName();
    } catch (ClassNotFoundException e) {
      return "none";
    }
  }
}
