package io.camhook.ort;

import ai.onnxruntime.OnnxTensorLike;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtSession;
import io.camhook.capture.Admission;
import io.camhook.capture.CaptureQueue;
import io.camhook.capture.Sampler;
import io.camhook.config.CamhookConfig;
import io.camhook.dispatch.BlockCall;
import io.camhook.dispatch.Failures;
import io.camhook.dispatch.WeakIdentityMap;
import io.camhook.engine.AdapterContext;
import io.camhook.engine.EngineAdapter;
import io.camhook.engine.ModelSession;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * The adapter to one copy of onnxruntime. The agent creates it in a class loader below that of the
 * application's onnxruntime; thread-safe.
 */
public final class OrtAdapter implements EngineAdapter {
  private final WeakIdentityMap<Object, WatchedSession> watched = new WeakIdentityMap<>();
  private final WeakIdentityMap<Object, Boolean> onDevice = new WeakIdentityMap<>();
  private volatile @Nullable Started started;

  /** State that {@link #start} sets up. */
  private record Started(
      AdapterContext context,
      WatchedModels models,
      Sampler sampler,
      SideWorker worker,
      Backlog backlog,
      AtomicInteger open,
      Failures failures) {}

  @Override
  public void start(AdapterContext context) {
    CamhookConfig config = context.config();
    SideWorker worker = new SideWorker();
    Failures failures = context.failures();
    started =
        new Started(
            context,
            new WatchedModels(config, failures, context.log()),
            new Sampler(config.sampling()),
            worker,
            new Backlog(worker, CaptureQueue.capacity(config.limits())),
            new AtomicInteger(),
            failures);
  }

  /** Ends what is under way, if that takes no longer than {@code limits.close}. Idempotent. */
  @Override
  public synchronized void close() {
    Started before = started;
    started = null;
    if (before != null) {
      if (!before.worker().finish(before.context().config().limits().close())) {
        long lost = before.backlog().captures();
        for (long i = 0; i < lost; i++) {
          before.context().recorder().lost();
        }
        before
            .context()
            .log()
            .warn(
                "onnxruntime: %d runs are not captured: their side session was not ready within limits.close"
                    .formatted(lost));
      }
      watched.values().forEach(WatchedSession::close);
    }
  }

  /** The application is about to make a session: {@code createSession(model, …, options)}. */
  @Override
  public @Nullable BlockCall archive(Object environment, Object[] arguments) {
    Started now = started;
    if (now == null || now.models().isEmpty() || SideWorker.isCurrent()) {
      return null;
    }
    try {
      SessionSource source = SessionSource.of(arguments[0]);
      boolean device = onDevice.get(arguments[arguments.length - 1]) != null;
      return source == null
          ? null
          : new SessionCreation(
              source,
              (session, model) ->
                  created((OrtEnvironment) environment, session, model, device, now));
    } catch (Throwable e) {
      now.failures().add("a session could not be looked at", e);
      return null;
    }
  }

  private void created(
      OrtEnvironment environment,
      OrtSession session,
      SessionSource source,
      boolean device,
      Started now) {
    try {
      OnnxPlan plan = now.models().planOf(session, source);
      if (plan == null) {
        return;
      }
      if (device) {
        plan.inform(
            "the application uses another execution provider than the CPU's; captures are computed"
                + " on the CPU");
      }
      WatchedSession made =
          new WatchedSession(
              plan,
              environment,
              List.copyOf(session.getInputNames()),
              List.copyOf(session.getOutputNames()),
              now.failures());
      SideMaker maker = new SideMaker(made, source, now.context(), now.open(), now.failures());
      watched.put(session, made);
      now.worker().later(maker);
    } catch (Throwable e) {
      now.failures().add("a session could not be matched with the configuration", e);
    }
  }

  /** The application begins a run: {@code run(inputs, outputs, …, options)}. */
  @Override
  public @Nullable BlockCall enter(Object session, Object[] arguments, Class<?> declares) {
    Started now = started;
    if (now == null || watched.isEmpty()) {
      return null;
    }
    WatchedSession known = watched.get(session);
    if (known == null || now.context().config().dryRun()) {
      return null;
    }
    Admission admission =
        known.plan().capturesAnything() && now.sampler().drawn() && now.sampler().admitted()
            ? now.context().recorder().admit()
            : null;
    if (admission == null && !known.isHooked()) {
      return null;
    }
    @SuppressWarnings("unchecked")
    Map<String, ? extends OnnxTensorLike> inputs =
        (Map<String, ? extends OnnxTensorLike>) arguments[0];
    Map<?, ?> pinned = arguments[2] instanceof Map<?, ?> memory ? memory : Map.of();
    if (!WatchedSession.isIntact(inputs, pinned)) {
      if (admission != null) {
        admission.close();
      }
      known.plan().sayOnce("a run that writes its outputs over its inputs is not captured");
      return null;
    }
    return new WatchedRun(
        known,
        session,
        inputs,
        admission,
        now.context().config().sampling().when(),
        !pinned.isEmpty(),
        now.backlog(),
        now.context().recorder(),
        now.failures());
  }

  /** Options of a session ask for an execution provider that is not the CPU's. */
  @Override
  public void opened(Object options) {
    onDevice.put(options, Boolean.TRUE);
  }

  /** The application closes a session, or its environment ends with the JVM. */
  @Override
  public void ending(Object subject) {
    if (subject instanceof OrtSession) {
      WatchedSession known = watched.remove(subject);
      if (known != null) {
        closeLater(known);
      }
    } else {
      close();
    }
  }

  /** Runs after the passes that wait for the worker. */
  private void closeLater(WatchedSession known) {
    Started now = started;
    try {
      if (now != null) {
        now.worker().later(known::close);
        return;
      }
    } catch (RejectedExecutionException e) {
      // camhook is leaving
    }
    known.close();
  }

  @Override
  public ModelSession open(Path file, Collection<String> paths) throws IOException {
    return OnnxFile.open(file).session(paths);
  }

  @Override
  public ModelSession attach(Object model, Collection<String> paths) {
    throw new IllegalArgumentException(
        "a session of onnxruntime does not know its model; open its .onnx file");
  }

  /** Watched sessions that have not been closed. */
  public int watchedSessions() {
    return watched.size();
  }

  /** Sessions of camhook's own that are open. */
  public int sideSessions() {
    Started now = started;
    return now == null ? 0 : now.open().get();
  }

  /** Does something on the thread that makes side sessions, after its other work. */
  public void later(Runnable work) {
    Started now = started;
    if (now != null) {
      now.worker().later(work);
    }
  }

  /** Failures of camhook itself so far. */
  public long failures() {
    Started now = started;
    return now == null ? 0 : now.failures().count();
  }
}
