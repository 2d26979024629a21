package io.camhook.djl.pass;

import ai.djl.engine.EngineException;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.NDScope;
import io.camhook.capture.PendingCapture;
import io.camhook.config.CamhookConfig;
import io.camhook.djl.autograd.Tensors;
import io.camhook.recording.Capture;
import io.camhook.recording.Prediction;
import io.camhook.recording.Target;
import io.camhook.recording.TensorName;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** A finished pass whose arrays still live in native memory, in their own manager. */
final class CapturedPass implements PendingCapture {
  /**
   * Called for an array that a recording cannot hold; the other arrays of its capture are recorded.
   */
  interface Unrecordable {
    void left(TensorName name, RuntimeException why);
  }

  private final String model;
  private final Instant time;
  private final String id;
  private final NDManager owner;
  private final Unrecordable unrecordable;
  private final Map<TensorName, NDArray> arrays = new LinkedHashMap<>();
  private List<Target> targets = List.of();
  private List<List<Prediction>> predictions = List.of();
  private @Nullable NDArray scores;
  private Supplier<List<Integer>> classes = List::of;
  private List<String> names = List.of();
  private long bytes;

  /** {@code owner} is closed when the capture is freed. */
  CapturedPass(String model, Instant time, NDManager owner, Unrecordable unrecordable) {
    this.unrecordable = unrecordable;
    this.model = model;
    this.time = time;
    this.id = Capture.newId(time);
    this.owner = owner;
  }

  /** Takes an array of {@code owner}, so that no {@code NDScope} of the application closes it. */
  void add(TensorName name, NDArray array) {
    NDScope.unregister(array);
    arrays.put(name, array);
    bytes += Tensors.bytes(array);
  }

  void targets(List<Target> targets) {
    this.targets = targets;
  }

  void predictions(List<List<Prediction>> predictions) {
    this.predictions = predictions;
  }

  /**
   * Defers predictions and targets until the capture is materialized.
   *
   * @param scores the model's output, owned by {@code owner}
   * @param classes reads the explained class of each sample, if any
   * @param names names of the classes, empty if unknown
   */
  void scores(NDArray scores, Supplier<List<Integer>> classes, List<String> names) {
    NDScope.unregister(scores);
    this.scores = scores;
    this.classes = classes;
    this.names = names;
    bytes += Tensors.bytes(scores);
  }

  @Override
  public String id() {
    return id;
  }

  @Override
  public long bytes() {
    return bytes;
  }

  @Override
  public Capture materialize() {
    readScores();
    Capture.Builder builder =
        Capture.builder(model).id(id).time(time).targets(targets).topK(predictions);
    arrays.forEach(
        (name, array) -> {
          try {
            builder.tensor(name, Tensors.viewOf(array));
          } catch (IllegalArgumentException | EngineException e) {
            unrecordable.left(name, e); // complex numbers, quantized values
          }
        });
    return builder.build();
  }

  private void readScores() {
    if (scores == null) {
      return;
    }
    try (NDManager scratch = owner.newSubManager()) {
      Scores read = Scores.of(new NDList(scores), CamhookConfig.Scored.USUAL, scratch);
      if (read != null) {
        predictions = read.classes().predictions(names);
        targets = read.classes().targets(classes.get(), names);
      }
    }
  }

  @Override
  public void discard() {
    owner.close();
  }
}
