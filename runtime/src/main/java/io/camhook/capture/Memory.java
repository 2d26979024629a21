package io.camhook.capture;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** How much memory captures may hold, and whether a failure means that memory ran out. */
final class Memory {
  private static final long MOST = 256L << 20;
  private static final long LEAST = 4L << 20;
  private static final int SHARE_OF_HEAP = 8;
  private static final int SHARE_OF_MACHINE = 16;

  /** The container's bound (cgroup v2, v1), and the machine's memory. */
  private static final List<String> BOUNDS =
      List.of("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes");

  /** What engines say: PyTorch, onnxruntime, and its allocations outside of its own arena. */
  private static final List<String> ENGINES =
      List.of(
          "DefaultCPUAllocator: can't allocate memory",
          "Failed to allocate memory for requested buffer",
          "bad allocation",
          "std::bad_alloc");

  private static final Path MACHINE = Path.of("/proc/meminfo");

  private Memory() {}

  /**
   * Bytes that {@code limits.queue: auto} stands for: an eighth of the heap or a sixteenth of the
   * memory of the container or machine, whichever is less; from 4 to 256 MiB.
   */
  static long queueBytes() {
    return queueBytes(Runtime.getRuntime().maxMemory(), machineBytes());
  }

  static long queueBytes(long heap, long machine) {
    return Math.max(
        LEAST, Math.min(MOST, Math.min(heap / SHARE_OF_HEAP, machine / SHARE_OF_MACHINE)));
  }

  /** Memory of the container, otherwise of the machine; unlimited if neither is known. */
  private static long machineBytes() {
    long least = Long.MAX_VALUE;
    for (String bound : BOUNDS) {
      try {
        least = Math.min(least, Long.parseLong(Files.readString(Path.of(bound)).strip()));
      } catch (IOException | NumberFormatException e) {
        // no such cgroup, or "max": no bound
      }
    }
    try {
      for (String line : Files.readAllLines(MACHINE)) {
        if (line.startsWith("MemTotal:")) {
          least = Math.min(least, Long.parseLong(line.replaceAll("\\D", "")) << 10);
        }
      }
    } catch (IOException | NumberFormatException e) {
      // another system: the heap alone decides
    }
    return least;
  }

  /** Whether memory ran out, on the heap or in the engine. */
  static boolean ranOut(@Nullable Throwable failure) {
    Throwable cause = failure;
    for (int depth = 0; cause != null && depth < 10; depth++) {
      if (cause instanceof OutOfMemoryError) {
        return true;
      }
      String message = cause.getMessage();
      if (message != null && ENGINES.stream().anyMatch(message::contains)) {
        return true;
      }
      cause = cause.getCause();
    }
    return false;
  }
}
