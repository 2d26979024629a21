package io.camhook.cli;

import io.camhook.cam.CamException;
import io.camhook.explain.ExplainException;
import io.camhook.recording.RecordingException;
import io.camhook.torchscript.archive.ArchiveException;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * The {@code camhook} command. Exit status: 0 success, 1 failure, 2 wrong usage; a failure is one
 * line on standard error that says what and where.
 */
@Command(
    name = "camhook",
    description = "Class activation maps from models on the JVM.",
    mixinStandardHelpOptions = true,
    versionProvider = ManifestVersion.class,
    synopsisSubcommandLabel = "COMMAND",
    usageHelpAutoWidth = true,
    subcommands = {
      DemoCommand.class,
      LayersCommand.class,
      ExplainCommand.class,
      ProcessCommand.class,
      ReportCommand.class,
      ServeCommand.class,
      ShowCommand.class,
      ExportCommand.class,
      BaselineCommand.class,
      VerifyCommand.class,
      AttachCommand.class,
      DetachCommand.class,
      StatusCommand.class
    },
    footer = {
      "",
      "Record:  java -javaagent:camhook-agent.jar=camhook.yaml -jar app.jar",
      "Attach:  camhook attach PID camhook.yaml",
      "Look:    camhook report captures/20261124-0615 -o report.html",
      "",
      "Exit status: 0 success, 1 failure, 2 wrong usage."
    })
public final class Camhook implements Runnable {
  private static final String LOG_LEVEL = "org.slf4j.simpleLogger.defaultLogLevel";

  @Spec
  private @SuppressWarnings("NullAway.Init") CommandSpec spec;

  Camhook() {}

  public static void main(String[] args) {
    PrintWriter out = new PrintWriter(System.out, true);
    PrintWriter err = new PrintWriter(System.err, true);
    setDefault(LOG_LEVEL, "error"); // the engine logs about itself at level info
    setDefault("ai.djl.offline", "true"); // missing natives are named, not downloaded
    setDefault("OPT_OUT_TRACKING", "true");
    System.exit(run(out, err, args));
  }

  private static void setDefault(String property, String value) {
    if (System.getProperty(property) == null) {
      System.setProperty(property, value);
    }
  }

  /** Runs a command and returns its exit status. */
  static int run(PrintWriter out, PrintWriter err, String... args) {
    return new CommandLine(new Camhook())
        .setOut(out)
        .setErr(err)
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setParameterExceptionHandler(Camhook::wrongUsage)
        .setExecutionExceptionHandler((e, command, parsed) -> failed(e, command))
        .execute(args);
  }

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "a command is missing");
  }

  private static int wrongUsage(ParameterException e, String[] args) {
    CommandLine command = e.getCommandLine();
    PrintWriter err = command.getErr();
    err.println("camhook: " + oneLine(String.valueOf(e.getMessage())));
    CommandLine.UnmatchedArgumentException.printSuggestions(e, err);
    err.println("Try '" + command.getCommandSpec().qualifiedName() + " --help'.");
    err.flush();
    return CommandLine.ExitCode.USAGE;
  }

  private static int failed(Exception e, CommandLine command) {
    PrintWriter err = command.getErr();
    err.println("camhook: " + oneLine(message(e)));
    err.flush();
    return CommandLine.ExitCode.SOFTWARE;
  }

  /** The failure's message; an unexpected failure keeps its type. */
  private static String message(Exception e) {
    String message = e.getMessage();
    if (e instanceof NoSuchFileException) {
      return message + ": no such file or directory";
    }
    if (e instanceof AccessDeniedException) {
      return message + ": permission denied";
    }
    if (message == null) {
      return e.toString();
    }
    boolean foreseen =
        e instanceof CommandFailure
            || e instanceof CamException
            || e instanceof ExplainException
            || e instanceof ArchiveException
            || e instanceof RecordingException
            || e instanceof FileSystemException;
    if (foreseen) {
      return message;
    }
    if (e instanceof UncheckedIOException || e.getClass() == IOException.class) {
      return message;
    }
    return e.getClass().getSimpleName() + ": " + message;
  }

  private static String oneLine(String message) {
    return message.replaceAll("\\s*\\R\\s*", " ").strip();
  }
}
