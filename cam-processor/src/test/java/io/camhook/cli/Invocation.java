package io.camhook.cli;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * A run of the command in this JVM.
 *
 * @param status exit status
 * @param out standard output
 * @param err standard error
 */
record Invocation(int status, String out, String err) {
  static Invocation of(Object... args) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    String[] texts =
        Arrays.stream(args)
            .map(arg -> arg instanceof Path path ? path.toString() : String.valueOf(arg))
            .toArray(String[]::new);
    int status = Camhook.run(new PrintWriter(out), new PrintWriter(err), texts);
    return new Invocation(status, out.toString(), err.toString());
  }
}
