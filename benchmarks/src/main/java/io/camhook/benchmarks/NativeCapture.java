package io.camhook.benchmarks;

import io.camhook.capture.PendingCapture;
import io.camhook.recording.Capture;
import io.camhook.recording.Tensor;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * A capture in native memory of its own, which others use again once the queue has discarded it, as
 * an engine's allocator has it. Memory that is not given back shows as more of it.
 */
final class NativeCapture implements PendingCapture {
  /** Memory that nobody uses. */
  static final class Pool {
    private final Queue<Deque<ByteBuffer>> free = new ConcurrentLinkedQueue<>();
  }

  private final Pool pool;
  private final Deque<ByteBuffer> memory = new ArrayDeque<>();
  private final Capture capture;

  /**
   * A copy under a new id.
   *
   * @param pool of captures with the same shapes
   */
  NativeCapture(Capture of, Pool pool) {
    this.pool = pool;
    Deque<ByteBuffer> used = pool.free.poll();
    Capture.Builder builder = Capture.builder(of.model()).targets(of.targets()).topK(of.topK());
    for (Map.Entry<String, Tensor> entry : of.tensors().entrySet()) {
      Tensor tensor = entry.getValue();
      ByteBuffer bytes =
          used == null ? ByteBuffer.allocateDirect((int) tensor.byteSize()) : used.poll();
      memory.add(bytes);
      builder.tensor(
          entry.getKey(),
          new Tensor(tensor.dtype(), tensor.shape(), bytes.duplicate().put(tensor.data()).flip()));
    }
    this.capture = builder.build();
  }

  @Override
  public long bytes() {
    return capture.tensorBytes();
  }

  @Override
  public Capture materialize() {
    return capture;
  }

  @Override
  public void discard() {
    pool.free.add(memory);
  }
}
