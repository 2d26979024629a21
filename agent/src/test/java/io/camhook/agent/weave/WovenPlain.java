package io.camhook.agent.weave;

import io.camhook.agent.yaml.ConfigReader;
import io.camhook.agent.yaml.InvalidConfigException;
import io.camhook.agent.yaml.Overrides;
import io.camhook.builtin.Watches;
import io.camhook.capture.CaptureSink;
import io.camhook.capture.CaptureStatus;
import io.camhook.capture.Recorder;
import io.camhook.config.CamhookConfig;
import io.camhook.dispatch.Dispatch;
import io.camhook.dispatch.EventLog;
import io.camhook.dispatch.Failures;
import io.camhook.plain.PlainDispatch;
import io.camhook.plain.PlainHook;
import io.camhook.plain.PlainModule;
import io.camhook.plain.PlainNetworks;
import io.camhook.recording.Capture;
import io.camhook.recording.ModelInfo;
import java.io.IOException;
import java.lang.instrument.Instrumentation;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import net.bytebuddy.agent.ByteBuddyAgent;
import org.jspecify.annotations.Nullable;

/** Plain networks woven in this JVM according to a YAML. Closing it restores the classes. */
final class WovenPlain implements AutoCloseable {
  final List<String> messages = Collections.synchronizedList(new ArrayList<>());
  final List<Capture> captures = Collections.synchronizedList(new ArrayList<>());
  final List<ModelInfo> models = Collections.synchronizedList(new ArrayList<>());
  final PlainNetworks networks;
  private final Instrumentation instrumentation = ByteBuddyAgent.install();
  private final Weaver weaver;
  private final Recorder recorder;
  private final Watches watches;

  /** As in a JVM with the agent and without an engine. */
  static void installNoEngine() {
    Dispatch.install(List::of, type -> null, new Failures(EventLog.SILENT));
  }

  WovenPlain(String yaml) {
    CamhookConfig config = config(yaml);
    EventLog log =
        new EventLog() {
          @Override
          public void info(String message) {
            messages.add(message);
          }

          @Override
          public void warn(String message) {
            messages.add(message);
          }

          @Override
          public void failure(String message, Throwable cause) {
            messages.add(message + ": " + cause.getMessage());
          }
        };
    recorder = new Recorder(config.limits(), "a list", () -> new ListSink(), log);
    watches = Watches.of(config, log);
    networks = new PlainNetworks(config, recorder, watches, log);
    PlainDispatch.install(networks);
    weaver = new Weaver(List.of(new PlainWeaver(config)), (name, loader) -> {}, log);
    weaver.install(instrumentation);
  }

  private static CamhookConfig config(String yaml) {
    try {
      Path file = Files.createTempFile("camhook", ".yaml");
      try {
        Files.writeString(file, yaml);
        return new ConfigReader(
                Overrides.NONE, name -> null, Instant.EPOCH, 1, () -> "h", List.of())
            .read(file)
            .config();
      } finally {
        Files.delete(file);
      }
    } catch (IOException | InvalidConfigException e) {
      throw new IllegalStateException(e);
    }
  }

  /** What hooks on every layer of the only network see, as text. */
  List<String> watch() {
    List<String> events = new ArrayList<>();
    networks.attach(
        0,
        List.of("*"),
        new PlainHook() {
          @Override
          public @Nullable Object beforeForward(PlainModule module, @Nullable Object input) {
            return event("pre " + module + text(module, input));
          }

          @Override
          public @Nullable Object afterForward(
              PlainModule module, @Nullable Object input, @Nullable Object output) {
            return event("forward " + module + text(module, input) + " ->" + text(module, output));
          }

          @Override
          public @Nullable Object beforeBackward(PlainModule module, @Nullable Object gradOutput) {
            return event("backward pre " + module + text(module, gradOutput));
          }

          @Override
          public @Nullable Object afterBackward(
              PlainModule module, @Nullable Object gradInput, @Nullable Object gradOutput) {
            return event(
                "backward " + module + text(module, gradOutput) + " ->" + text(module, gradInput));
          }

          private @Nullable Object event(String text) {
            events.add(text);
            return null;
          }
        });
    return events;
  }

  private static String text(PlainModule module, @Nullable Object value) {
    return " " + (value == null ? "none" : Arrays.toString(module.read(value).toFloats()));
  }

  /** Writes what the built-in hooks have buffered. */
  void closeWatches() {
    watches.close();
  }

  /** Everything submitted, written. */
  List<Capture> captured() {
    recorder.close();
    return List.copyOf(captures);
  }

  @Override
  public void close() {
    weaver.remove(instrumentation);
    PlainDispatch.install(null);
    recorder.close();
  }

  private final class ListSink implements CaptureSink {
    @Override
    public void write(Capture capture) {
      captures.add(capture);
    }

    @Override
    public void model(ModelInfo model) {
      models.add(model);
    }

    @Override
    public void close(CaptureStatus status) {}
  }
}
