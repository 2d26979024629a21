package io.camhook.ort;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxTensorLike;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.camhook.capture.Admission;
import io.camhook.capture.NoSuchTargetException;
import io.camhook.capture.Recorder;
import io.camhook.config.CamhookConfig.CaptureKind;
import io.camhook.config.Condition;
import io.camhook.dispatch.BlockCall;
import io.camhook.dispatch.Failures;
import io.camhook.dispatch.UserFailure;
import io.camhook.engine.PredictorInputs;
import io.camhook.recording.Tensor;
import java.time.Instant;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One run of one of the application's sessions. The application's own run comes first, and its
 * result or exception is not touched.
 */
final class WatchedRun implements BlockCall {
  private final WatchedSession watched;
  private final Object session;
  private final Map<String, ? extends OnnxTensorLike> inputs;
  private final @Nullable Admission admission;
  private final @Nullable Condition when;
  private final boolean pinned;
  private final Backlog backlog;
  private final Recorder recorder;
  private final Failures failures;
  private final Instant time = Instant.now();

  /** Whether the run becomes a capture, as far as that is known. */
  private boolean captured;

  /** Whether the worker has it. */
  private boolean postponed;

  /**
   * @param inputs the application's own map
   * @param admission room for its capture, which ends with the run; null if the run is not captured
   *     but only looked at
   * @param when the condition that its outputs must meet to be captured; null captures any
   * @param pinned whether the application provided memory for outputs
   */
  WatchedRun(
      WatchedSession watched,
      Object session,
      Map<String, ? extends OnnxTensorLike> inputs,
      @Nullable Admission admission,
      @Nullable Condition when,
      boolean pinned,
      Backlog backlog,
      Recorder recorder,
      Failures failures) {
    this.watched = watched;
    this.session = session;
    this.inputs = inputs;
    this.admission = admission;
    this.when = when;
    this.captured = admission != null;
    this.pinned = pinned;
    this.backlog = backlog;
    this.recorder = recorder;
    this.failures = failures;
  }

  @Override
  public @Nullable Object exit(@Nullable Object result, @Nullable Throwable thrown) {
    long begin = System.nanoTime();
    try {
      return thrown == null && result instanceof OrtSession.Result outputs
          ? ended(outputs)
          : result;
    } finally {
      if (captured) {
        recorder.took(System.nanoTime() - begin);
      }
      if (!postponed) {
        release();
      }
    }
  }

  private void release() {
    if (admission != null) {
      admission.close();
    }
  }

  private OrtSession.Result ended(OrtSession.Result outputs) {
    try {
      watched.awaitForHooks();
      ReplacingSessions replacing = watched.replacing();
      if (replacing != null) {
        return replaced(replacing, outputs);
      }
      if (watched.plan().replaces()) {
        watched
            .plan()
            .sayOnce(
                "a run was answered without its hooks that replace: there was no session for them");
      }
      Map<String, Tensor> copies = copies(outputs);
      if (!captured && !watched.isHooked()) {
        return outputs;
      }
      Tensor pictures = captured ? pictures(copies) : null;
      if (watched.isReady()) {
        observe(new PassValues(inputs, copies, pictures));
      } else {
        postpone(PassValues.copies(inputs), copies, pictures);
      }
    } catch (HookException e) {
      outputs.close(); // nobody else closes them
      UserFailure.mark(e.thrown());
      throw e.thrown();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      lost(e);
    } catch (Throwable e) {
      lost(e);
    }
    return outputs;
  }

  /**
   * Copies of the outputs, if the run is captured: they say whether it is of the wanted kind. No
   * side session runs for one that is not.
   */
  private Map<String, Tensor> copies(OrtSession.Result outputs) {
    if (!captured) {
      return Map.of();
    }
    Map<String, Tensor> copies = PassValues.copies(outputs);
    if (when != null) {
      RunScores scores = RunScores.of(watched.plan(), copies, watched.outputs());
      if (scores == null || !scores.meets(when, watched.plan().classNames())) {
        captured = false;
        recorder.skipped();
        return Map.of();
      }
    }
    return copies;
  }

  /** The application gets what the model computes from the hooks' values. */
  private OrtSession.Result replaced(ReplacingSessions replacing, OrtSession.Result own)
      throws OrtException {
    if (pinned) {
      watched
          .plan()
          .sayOnce(
              "a run that is given its outputs' memory is answered without the hooks that replace");
      return own;
    }
    Set<String> names = new LinkedHashSet<>();
    own.forEach(entry -> names.add(entry.getKey()));
    ReplacingSessions.Pass pass = replacing.run(session, watched.hooks(), inputs, names);
    if (pass == null) {
      return own;
    }
    OrtSession.Result given = pass.result() == null ? own : pass.result();
    boolean done = false;
    try (pass) {
      Map<String, OnnxTensorLike> all = new HashMap<>(inputs);
      all.putAll(pass.edges());
      Map<String, Tensor> copies = copies(given);
      observe(new PassValues(all, copies, captured ? pictures(copies) : null));
      done = true;
    } catch (OrtException | RuntimeException e) {
      if (e instanceof HookException) {
        if (given != own) {
          given.close();
        }
        throw e;
      }
      lost(e); // the outputs after the hooks exist all the same
      done = true;
    }
    if (done && given != own) {
      own.close();
    }
    return given;
  }

  /** The pictures that a DJL predictor was given for this batch. */
  private @Nullable Tensor pictures(Map<String, Tensor> outputs) {
    String scores = PassValues.scores(outputs);
    return scores == null || !watched.plan().captures(CaptureKind.IMAGE)
        ? null
        : PredictorInputs.current(Objects.requireNonNull(outputs.get(scores)).size(0));
  }

  /** The side session does not exist yet: the worker repeats the run from copies. */
  private void postpone(
      Map<String, Tensor> given, Map<String, Tensor> outputs, @Nullable Tensor pictures) {
    long bytes =
        given.values().stream().mapToLong(Tensor::byteSize).sum()
            + outputs.values().stream().mapToLong(Tensor::byteSize).sum();
    Admission room = captured ? recorder.reserve(bytes) : null;
    if (captured && room == null) {
      return; // counted, as dropped
    }
    postponed = backlog.add(bytes, captured, () -> repeat(given, outputs, pictures, room));
    if (!postponed) {
      if (room != null) {
        room.close();
      }
      unread();
    }
  }

  private void unread() {
    if (captured) {
      recorder.lost();
    }
    failures.mistake(
        "model %s: passes came faster than its side session, and are not captured"
            .formatted(watched.plan().label()));
  }

  private void repeat(
      Map<String, Tensor> given,
      Map<String, Tensor> outputs,
      @Nullable Tensor pictures,
      @Nullable Admission room) {
    try (room) {
      Map<String, OnnxTensor> values = PassValues.values(watched.environment(), given);
      try {
        observe(new PassValues(values, outputs, pictures));
      } finally {
        values.values().forEach(OnnxTensor::close);
      }
    } catch (HookException e) {
      failures.add("a hook threw, in a pass that had ended", e.thrown());
    } catch (Throwable e) {
      lost(e);
    } finally {
      release();
    }
  }

  private void observe(PassValues values) throws OrtException {
    if (!captured) {
      SidePass.look(watched, session, values.inputs());
      return;
    }
    OrtCapture capture = SidePass.of(watched, session, values, time);
    if (capture == null) {
      recorder.lost();
    } else {
      recorder.submit(capture);
    }
  }

  private void lost(Throwable cause) {
    if (captured) {
      recorder.lost(cause);
    } else {
      recorder.checkMemory(cause);
    }
    if (cause instanceof NoSuchTargetException) {
      failures.mistake(
          "model %s is not captured: %s".formatted(watched.plan().label(), cause.getMessage()));
    } else {
      watched.failed(cause);
    }
  }
}
