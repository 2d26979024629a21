package io.camhook.djl.backward;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.NDScope;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;

/*
 * A gate's mask is one byte of memory that both Java and the graph see. Writing it from Java does not count as
 * an in-place change for autograd, which would refuse to run the gate's backward. The graph that holds a mask may
 * outlive every Java object, so the memory is never freed, only used again.
 */
/** One-byte masks of gates. Thread-safe. */
final class GateMasks {
  private static final int SLAB = 256;

  private static final Deque<Mask> FREE = new ArrayDeque<>();
  private static final Deque<ByteBuffer> SLABS = new ArrayDeque<>();

  private GateMasks() {}

  /** A mask, open: 1. */
  static final class Mask {
    private final ByteBuffer slab;
    private final int at;
    private final NDArray array;

    private Mask(ByteBuffer slab, int at, NDArray array) {
      this.slab = slab;
      this.at = at;
      this.array = array;
    }

    /** Boolean scalar over the byte. */
    NDArray array() {
      return array;
    }

    void set(boolean open) {
      slab.put(at, (byte) (open ? 1 : 0));
    }

    /** Gives the mask back, open. */
    void free() {
      set(true);
      synchronized (FREE) {
        FREE.add(this);
      }
    }
  }

  static Mask take() {
    synchronized (FREE) {
      if (FREE.isEmpty()) {
        addSlab();
      }
      return FREE.remove();
    }
  }

  private static void addSlab() {
    ByteBuffer slab = ByteBuffer.allocateDirect(SLAB);
    SLABS.add(slab);
    NDManager owner = Engine.getEngine("PyTorch").newBaseManager(Device.cpu());
    owner.setName("camhook gates");
    for (int at = 0; at < SLAB; at++) {
      slab.put(at, (byte) 1);
    }
    for (int at = 0; at < SLAB; at++) {
      NDArray array = owner.create(slab.slice(at, 1), new Shape(), DataType.BOOLEAN);
      NDScope.unregister(array);
      FREE.add(new Mask(slab, at, array));
    }
  }
}
