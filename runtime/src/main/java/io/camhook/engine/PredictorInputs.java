package io.camhook.engine;

import io.camhook.dispatch.Request;
import io.camhook.recording.Tensor;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The pictures passed to the predictor that is running on this thread, for the adapter of the
 * engine below it, which sees only tensors. Belongs to one thread.
 */
public final class PredictorInputs implements Request {
  private static final ThreadLocal<@Nullable PredictorInputs> CURRENT = new ThreadLocal<>();

  private final Supplier<@Nullable Tensor> pictures;
  private final @Nullable PredictorInputs around;

  private PredictorInputs(Supplier<@Nullable Tensor> pictures, @Nullable PredictorInputs around) {
    this.pictures = pictures;
    this.around = around;
  }

  /**
   * A request begins on this thread; it ends with {@link #close}.
   *
   * @param pictures uint8 {@code [H,W,3]}, or {@code [N,H,W,3]} for several of one size; null if
   *     there are none
   */
  public static PredictorInputs begin(Supplier<@Nullable Tensor> pictures) {
    PredictorInputs inputs = new PredictorInputs(pictures, CURRENT.get());
    CURRENT.set(inputs);
    return inputs;
  }

  /**
   * The pictures of the request on this thread.
   *
   * @param samples number of samples in the batch that the engine runs
   * @return null if there are none, or if their number differs
   */
  public static @Nullable Tensor current(long samples) {
    PredictorInputs now = CURRENT.get();
    Tensor made = now == null ? null : now.pictures.get();
    long found = made == null ? 0 : made.rank() == 4 ? made.size(0) : 1;
    return found == samples ? made : null;
  }

  @Override
  public void close() {
    if (around == null) {
      CURRENT.remove();
    } else {
      CURRENT.set(around);
    }
  }
}
