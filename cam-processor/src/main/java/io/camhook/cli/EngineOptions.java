package io.camhook.cli;

import picocli.CommandLine.Option;

/** Options of commands that run a model. */
final class EngineOptions {
  EngineOptions() {}

  @Option(
      names = {"-v", "--verbose"},
      description = "Report what the agent instruments in this process.")
  void verbose(boolean wanted) {
    System.setProperty("camhook.verbose", String.valueOf(wanted));
  }
}
