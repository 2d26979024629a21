package app;

import java.time.Duration;

/** An application without a model. */
public final class Hello {
  private Hello() {}

  /** Greets, and on request prints the processor time so far. */
  public static void main(String[] args) {
    System.out.println("hello");
    if (args.length > 0) {
      System.out.println(
          ProcessHandle.current().info().totalCpuDuration().orElse(Duration.ZERO).toMillis());
    }
  }
}
