package io.camhook.cam.model;

import io.camhook.recording.Tensor;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * How a model is run again.
 *
 * @param batch inputs per run; at least 1
 * @param channels number of strongest channels used by methods that run the model once per channel;
 *     0: all
 * @param samples number of variants of the input (steps, noisy copies, masks) for methods that
 *     average over them; 0: the method's default
 * @param seed seed of random numbers
 * @param padId the token id that occlusion replaces others with; null if none was given
 * @param progress called after every run
 * @param cancelled called before every run; true stops with a {@link
 *     java.util.concurrent.CancellationException}
 */
public record RunOptions(
    int batch,
    int channels,
    int samples,
    long seed,
    @Nullable Long padId,
    Progress progress,
    BooleanSupplier cancelled) {
  private static final long INPUT_BYTES = 32L << 20;
  private static final int LARGEST_DEFAULT_BATCH = 64;

  /** Receives a method's progress. */
  @FunctionalInterface
  public interface Progress {
    /**
     * {@code done} of {@code total} runs of single inputs have finished.
     *
     * @param method id of the method
     */
    void at(String method, int done, int total);
  }

  public RunOptions {
    if (batch < 1 || channels < 0 || samples < 0) {
      throw new IllegalArgumentException(
          "expected a batch of at least 1, and channels and samples of at least 0, found %d, %d and %d"
              .formatted(batch, channels, samples));
    }
  }

  /** A batch that bounds its inputs to 32 MiB, at most 64 of them; all channels, silent. */
  public static RunOptions forInput(Tensor input) {
    long bytes = Math.max(4, 4 * input.elements() / Math.max(1, input.size(0)));
    int batch = (int) Math.max(1, Math.min(LARGEST_DEFAULT_BATCH, INPUT_BYTES / bytes));
    return new RunOptions(batch, 0, 0, 0, null, (method, done, total) -> {}, () -> false);
  }

  public RunOptions withBatch(int wanted) {
    return new RunOptions(wanted, channels, samples, seed, padId, progress, cancelled);
  }

  public RunOptions withChannels(int strongest) {
    return new RunOptions(batch, strongest, samples, seed, padId, progress, cancelled);
  }

  public RunOptions withSamples(int variants) {
    return new RunOptions(batch, channels, variants, seed, padId, progress, cancelled);
  }

  public RunOptions withSeed(long wanted) {
    return new RunOptions(batch, channels, samples, wanted, padId, progress, cancelled);
  }

  public RunOptions withPadId(@Nullable Long wanted) {
    return new RunOptions(batch, channels, samples, seed, wanted, progress, cancelled);
  }

  public RunOptions withProgress(Progress wanted) {
    return new RunOptions(batch, channels, samples, seed, padId, wanted, cancelled);
  }

  public RunOptions withCancellation(BooleanSupplier wanted) {
    return new RunOptions(batch, channels, samples, seed, padId, progress, wanted);
  }

  /** The number of samples: the wanted one, otherwise {@code usual}. */
  int samplesOr(int usual) {
    return samples == 0 ? usual : samples;
  }
}
