package io.camhook.ort;

import ai.onnxruntime.OnnxTensorLike;
import ai.onnxruntime.OrtSession;
import io.camhook.capture.PendingCapture;
import io.camhook.recording.Capture;
import io.camhook.recording.Prediction;
import io.camhook.recording.Target;
import io.camhook.recording.Tensor;
import io.camhook.recording.TensorName;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The results of a pass. Values of the side session stay in its memory until they are written; the
 * application's values are copies.
 */
final class OrtCapture implements PendingCapture {
  private final String model;
  private final Instant time;
  private final Map<TensorName, Tensor> copies = new LinkedHashMap<>();
  private final Map<TensorName, OnnxTensorLike> values = new LinkedHashMap<>();
  private final List<OrtSession.Result> results = new ArrayList<>();
  private List<Target> targets = List.of();
  private List<List<Prediction>> predictions = List.of();
  private long bytes;

  OrtCapture(String model, Instant time) {
    this.model = model;
    this.time = time;
  }

  void add(TensorName name, Tensor copy) {
    copies.put(name, copy);
    bytes += copy.byteSize();
  }

  /** A value of a result that was given to {@link #keep}. */
  void add(TensorName name, OnnxTensorLike value) {
    values.put(name, value);
    bytes += OrtValues.bytes(value);
  }

  /** Takes over a result of the side session. */
  void keep(OrtSession.Result result) {
    results.add(result);
  }

  void targets(List<Target> targets) {
    this.targets = targets;
  }

  void predictions(List<List<Prediction>> predictions) {
    this.predictions = predictions;
  }

  @Override
  public long bytes() {
    return bytes;
  }

  @Override
  public Capture materialize() {
    Capture.Builder builder = Capture.builder(model).time(time).targets(targets).topK(predictions);
    copies.forEach(builder::tensor);
    values.forEach((name, value) -> builder.tensor(name, OrtValues.copy(value)));
    return builder.build();
  }

  @Override
  public void discard() {
    results.forEach(OrtSession.Result::close);
  }
}
