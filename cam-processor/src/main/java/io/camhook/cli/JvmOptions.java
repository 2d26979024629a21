package io.camhook.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The JVM that a command talks to. */
final class JvmOptions {
  @Parameters(index = "0", paramLabel = "PID", description = "Process id of the JVM.")
  private long pid;

  @Option(
      names = "--agent",
      paramLabel = "FILE",
      description = "Path of camhook-agent.jar (default: the one of this installation).")
  private @Nullable Path agent;

  JvmOptions() {}

  /** Sends a command to the agent there, prints what it says and returns the exit status. */
  int send(String options, CommandSpec spec) throws IOException {
    RunningJvm.Answer answer = RunningJvm.of(pid, agent).send(options);
    PrintWriter out = answer.done() ? spec.commandLine().getOut() : spec.commandLine().getErr();
    String prefix = answer.done() ? "" : "camhook: ";
    for (String line : answer.lines()) {
      out.println(line.startsWith(" ") ? line : prefix + line);
    }
    out.flush();
    return answer.done() ? 0 : 1;
  }
}
