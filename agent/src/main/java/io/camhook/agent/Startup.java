package io.camhook.agent;

import io.camhook.agent.weave.Weaver;
import io.camhook.agent.yaml.ConfigReader;
import io.camhook.agent.yaml.InvalidConfigException;
import io.camhook.agent.yaml.Problem;
import io.camhook.config.CamhookConfig;
import io.camhook.dispatch.Dispatch;
import io.camhook.dispatch.EventLog;
import io.camhook.recording.Run;
import java.lang.instrument.Instrumentation;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Starts the agent before the application's main or on attach, and handles later commands. If
 * anything fails here, the application still runs; only {@code onError=exit} ends the JVM, with
 * status 2.
 */
final class Startup {
  private static final int STATUS_BAD_CONFIG = 2;

  /** The JVM calls static methods, and each call refers to the agent of the call before. */
  private static @Nullable RunningAgent running;

  private Startup() {}

  static synchronized void run(@Nullable String text, Instrumentation instrumentation) {
    EventLog log = new StderrLog(System.err);
    AgentOptions options;
    try {
      options = AgentOptions.parse(text, System::getProperty, System::getenv);
    } catch (IllegalArgumentException e) {
      log.warn(e.getMessage() + "; the application runs without camhook");
      return;
    }
    String command = options.text("command");
    try (Reply reply = new Reply(command != null, log)) {
      try {
        if (command == null || command.equals("attach")) {
          start(options, instrumentation, reply);
        } else {
          obey(command, reply);
        }
      } catch (InvalidConfigException e) {
        refuse(e, options, reply);
      } catch (Throwable e) {
        reply.failure("could not start; the application runs without camhook", e);
      }
    }
  }

  private static void start(AgentOptions options, Instrumentation instrumentation, Reply reply)
      throws InvalidConfigException {
    RunningAgent before = running;
    String file = options.text("config");
    if (before == null && Dispatch.installed()) {
      reply.refuse("another camhook is at work here; this one does nothing");
      return;
    }
    if (before != null && (before.file() != null || file == null)) {
      reply.refuse(
          "the agent is here already, since %s, %s; the second one does nothing"
              .formatted(
                  before.since(),
                  before.file() == null
                      ? "without a configuration"
                      : "with " + before.file() + " (detach it first)"));
      return;
    }
    Path yaml = file == null ? null : Path.of(file);
    CamhookConfig config = read(yaml, options);
    EventLog log = reply; // later events go there, too
    Weaver.Listener listener =
        config.dryRun()
            ? (type, loader) -> log.info("dry run: would weave " + type)
            : (type, loader) -> {};
    if (before != null) {
      before.stop();
    }
    running =
        RunningAgent.start(
            config, file, Output.recorder(config, yaml, log), listener, log, instrumentation);
    log.info(running.waitsFor());
  }

  private static void obey(String command, Reply reply) {
    RunningAgent agent = running;
    switch (command) {
      case "status" ->
          (agent == null ? List.of("no camhook is at work in this JVM") : agent.status())
              .forEach(reply::say);
      case "detach" -> {
        if (agent == null) {
          reply.refuse("no camhook is at work in this JVM");
          return;
        }
        running = null;
        agent.stop();
        agent.status().forEach(reply::say);
        reply.info("detached; classes have their own bytecode again");
      }
      default ->
          reply.refuse(
              "agent option command: expected attach, detach or status, found \"" + command + "\"");
    }
  }

  private static CamhookConfig read(@Nullable Path yaml, AgentOptions options)
      throws InvalidConfigException {
    ConfigReader reader =
        new ConfigReader(
            options,
            System::getenv,
            Instant.now(),
            ProcessHandle.current().pid(),
            Run::localHost,
            Output.settings());
    ConfigReader.Result result = reader.read(yaml);
    List<Problem> unknown = options.unknown(result.keys());
    if (!unknown.isEmpty()) {
      throw new InvalidConfigException(unknown);
    }
    return result.config();
  }

  private static void refuse(InvalidConfigException e, AgentOptions options, Reply reply) {
    boolean exit = "exit".equals(options.text("onError"));
    List<Problem> problems = e.problems();
    reply.refuse(
        "%s; %s%n%s"
            .formatted(
                problems.size() == 1
                    ? "1 error in the configuration"
                    : problems.size() + " errors in the configuration",
                exit ? "exit, because onError=exit" : "the application runs without camhook",
                problems.stream().map(p -> "  " + p).collect(Collectors.joining("\n"))));
    if (exit) {
      System.exit(STATUS_BAD_CONFIG);
    }
  }
}
