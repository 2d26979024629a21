package io.camhook.ort;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxTensorLike;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.jspecify.annotations.Nullable;

/**
 * camhook's own session beside one of the application's. It has no threads of its own: it runs on
 * the caller's thread. Thread-safe.
 */
final class SideSession implements AutoCloseable {
  private static final long RUN_MINUTES = 10;

  private final SideModel model;
  private final OrtSession session;
  private final AtomicInteger open;
  private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();
  private boolean closed;

  /**
   * Takes over the session.
   *
   * @param open counts those that are open
   */
  SideSession(SideModel model, OrtSession session, AtomicInteger open) {
    this.model = model;
    this.session = session;
    this.open = open;
    open.incrementAndGet();
  }

  SideModel model() {
    return model;
  }

  String anyOutput() {
    return session.getOutputNames().iterator().next();
  }

  /** Whether one of its outputs has a name. */
  boolean has(String output) {
    return session.getOutputNames().contains(output);
  }

  /**
   * Runs it.
   *
   * @param inputs the model's inputs; those that the session does not need are ignored
   * @param seed ∂score/∂output; null for a session without gradients
   * @param wanted names of the outputs that are computed for the caller
   * @return to be closed by the caller; null if the session is closed
   */
  OrtSession.@Nullable Result run(
      Map<String, ? extends OnnxTensorLike> inputs, @Nullable OnnxTensor seed, Set<String> wanted)
      throws OrtException {
    if (!lock.readLock().tryLock()) {
      return null;
    }
    try {
      if (closed) {
        return null;
      }
      Map<String, OnnxTensorLike> all = new HashMap<>(inputs);
      if (model.seed() != null && seed != null) {
        all.put(model.seed(), seed);
      }
      all.keySet().retainAll(session.getInputNames());
      return session.run(all, wanted);
    } finally {
      lock.readLock().unlock();
    }
  }

  /** Waits for runs in progress. Idempotent. */
  @Override
  public void close() {
    boolean alone = false;
    try {
      alone = lock.writeLock().tryLock(RUN_MINUTES, TimeUnit.MINUTES);
      if (alone && !closed) {
        closed = true;
        open.decrementAndGet();
        session.close();
      }
    } catch (OrtException e) {
      // there is nothing left to free
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      if (alone) {
        lock.writeLock().unlock();
      }
    }
  }
}
