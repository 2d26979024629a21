package io.camhook.cli;

import io.camhook.recording.Damage;
import io.camhook.recording.RecordingVerifier;
import io.camhook.recording.RecordingVerifier.Verification;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code camhook verify}: checks the integrity of every byte of a recording. */
@Command(
    name = "verify",
    description =
        "Checks the integrity of a recording; exits with 1 and lists the damage if there is any. A"
            + " tail that was cut off when the program was killed is not damage.",
    mixinStandardHelpOptions = true,
    versionProvider = ManifestVersion.class,
    usageHelpAutoWidth = true)
final class VerifyCommand implements Callable<Integer> {
  @Spec
  private @SuppressWarnings("NullAway.Init") CommandSpec spec;

  @Parameters(paramLabel = "RECORDING", description = "Directory that the agent recorded into.")
  private @SuppressWarnings("NullAway.Init") Path recording;

  VerifyCommand() {}

  @Override
  public Integer call() throws IOException {
    Verification result;
    try (Progress progress = new Progress("verify", " bytes", -1)) {
      result = RecordingVerifier.verify(recording, progress::to);
    }
    PrintWriter out = spec.commandLine().getOut();
    out.printf(
        "%s: %d intact captures in %d shards, %s%n",
        recording, result.captures(), result.shards(), Units.bytes(result.bytes()));
    if (result.cut() != null) {
      out.printf(
          "%s: the last run was killed; the capture that it was writing is not part of the"
              + " recording (%s)%n",
          recording, result.cut());
    }
    out.flush();
    if (result.damage().isEmpty()) {
      return 0;
    }
    PrintWriter err = spec.commandLine().getErr();
    for (Damage damage : result.damage()) {
      err.println("camhook: " + recording + ": " + damage);
    }
    err.flush();
    return 1;
  }
}
