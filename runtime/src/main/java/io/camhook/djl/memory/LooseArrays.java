package io.camhook.djl.memory;

import ai.djl.ndarray.NDManager;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.JniUtils;
import io.camhook.dispatch.WeakIdentityMap;
import java.lang.ref.Reference;
import java.lang.ref.ReferenceQueue;
import java.lang.ref.WeakReference;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;

/*
 * DJL's managers keep every array until they are closed. Hooks make arrays that nobody would close: the array
 * that a module continues with after a cut, the output that the cut replaces, gradients that hooks see. In a
 * long-lived manager (the model's own) they would pile up. Such arrays are loose: they are closed with their
 * manager as usual, but freed earlier if nobody refers to them any more. A thread may still be in a native
 * call with a handle that it read when it held the last reference, so a loose array is freed some time after
 * the collector found it.
 */
/** What camhook keeps for the arrays of one manager until the manager is closed. Thread-safe. */
public final class LooseArrays implements AutoCloseable {
  private static final String RESOURCE = "camhook";
  private static final long GRACE = TimeUnit.SECONDS.toNanos(10);
  private static final WeakIdentityMap<NDManager, LooseArrays> BY_MANAGER = new WeakIdentityMap<>();
  private static final ReferenceQueue<PtNDArray> FOUND = new ReferenceQueue<>();
  private static final Deque<Unreferenced> UNREFERENCED = new ArrayDeque<>();

  private final WeakReference<NDManager> manager;
  private final Set<Loose> loose = ConcurrentHashMap.newKeySet();
  private final Set<Runnable> ends = ConcurrentHashMap.newKeySet();
  private volatile boolean over;

  private LooseArrays(NDManager manager) {
    this.manager = new WeakReference<>(manager);
  }

  /** The instance for a manager's arrays. */
  public static LooseArrays of(NDManager manager) {
    synchronized (BY_MANAGER) {
      LooseArrays known = BY_MANAGER.get(manager);
      if (known == null) {
        known = new LooseArrays(manager);
        manager.attachInternal(RESOURCE, known);
        BY_MANAGER.put(manager, known);
      }
      return known;
    }
  }

  /** Makes {@code array} loose. */
  public static void loosen(PtNDArray array) {
    freeUnreferenced(System.nanoTime());
    NDManager owner = array.getManager();
    LooseArrays lifetime = of(owner);
    owner.detachInternal(array.getUid());
    lifetime.loose.add(new Loose(array, lifetime));
  }

  /** Runs {@code end} when the manager is closed, on the thread that closes it. */
  public void atEnd(Runnable end) {
    ends.add(end);
    if (over && ends.remove(end)) {
      end.run();
    }
  }

  /** Undoes {@link #atEnd}. */
  public void forget(Runnable end) {
    ends.remove(end);
  }

  /** The manager is closed. */
  @Override
  public void close() {
    over = true;
    for (Runnable end : ends) {
      if (ends.remove(end)) {
        end.run();
      }
    }
    NDManager owner = manager.get();
    for (Loose each : loose) {
      PtNDArray array = each.get();
      if (array == null) {
        each.free();
      } else if (array.getManager() == owner) { // otherwise it has been moved
        array.close();
      }
    }
    loose.clear();
  }

  /** Frees arrays that the collector found longer than the grace period before {@code now}. */
  static void freeUnreferenced(long now) {
    synchronized (UNREFERENCED) {
      for (Reference<?> found = FOUND.poll(); found != null; found = FOUND.poll()) {
        UNREFERENCED.add(new Unreferenced((Loose) found, now));
      }
      for (Unreferenced oldest = UNREFERENCED.peek();
          oldest != null && now - oldest.since > GRACE;
          oldest = UNREFERENCED.peek()) {
        UNREFERENCED.remove();
        oldest.array.lifetime.loose.remove(oldest.array);
        oldest.array.free();
      }
    }
  }

  /** Number of this manager's loose arrays, for tests. */
  int looseArrays() {
    return loose.size();
  }

  private record Unreferenced(Loose array, long since) {}

  private static final class Loose extends WeakReference<PtNDArray> {
    private final AtomicReference<Long> handle;
    private final LooseArrays lifetime;

    Loose(PtNDArray array, LooseArrays lifetime) {
      super(array, FOUND);
      this.handle = Handles.of(array);
      this.lifetime = lifetime;
    }

    void free() {
      Long pointer = handle.getAndSet(null);
      if (pointer != null) {
        JniUtils.deleteNDArray(pointer);
      }
    }
  }
}
