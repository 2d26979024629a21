package io.camhook.ort;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxTensorLike;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.camhook.capture.ClassScores;
import io.camhook.capture.InputPicture;
import io.camhook.config.CamhookConfig.CaptureKind;
import io.camhook.recording.DType;
import io.camhook.recording.Target;
import io.camhook.recording.Tensor;
import io.camhook.recording.TensorName;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/*
 * The application's outputs are known when the side session runs. So whatever is explained becomes
 * ∂score/∂output. The side session takes that as an input, and needs to know nothing about classes. With
 * several targets per sample it runs once for each; activations are taken from the first run.
 */
/** One pass of a watched session, captured on this thread. */
final class SidePass {
  private static final double SAME = 1e-2;

  private final WatchedSession watched;
  private final OnnxPlan plan;
  private final Object session;
  private final PassValues values;
  private final OrtCapture capture;

  private SidePass(WatchedSession watched, Object session, PassValues values, Instant time) {
    this.watched = watched;
    this.plan = watched.plan();
    this.session = session;
    this.values = values;
    this.capture = new OrtCapture(plan.label(), time);
  }

  /**
   * Captures a pass.
   *
   * @param session the application's, for hooks
   * @return null if the session has been closed meanwhile; the caller must discard the capture
   */
  static @Nullable OrtCapture of(
      WatchedSession watched, Object session, PassValues values, Instant time) throws OrtException {
    SidePass pass = new SidePass(watched, session, values, time);
    boolean done = false;
    try {
      done = pass.run();
      return done ? pass.capture : null;
    } finally {
      if (!done) {
        pass.capture.discard();
      }
    }
  }

  private boolean run() throws OrtException {
    addInputsAndOutputs();
    RunScores scores = RunScores.of(plan, values.outputs(), watched.outputs());
    SideSession side = watched.side();
    if (scores == null) {
      return side == null || record(side, null, 0, null);
    }
    String output = scores.output();
    ScoreLayout layout = scores.layout();
    DType type = scores.values().dtype();
    SimilarityTarget similarity = plan.similarity();
    List<Target> targets = List.of();
    List<Tensor> seeds = new ArrayList<>();
    if (similarity != null) {
      SimilarityTarget.At at = similarity.of(scores.rows(), layout.samples());
      targets = at.targets();
      seeds.add(layout.seed(at.gradients(), type));
    } else {
      ClassScores classes = scores.classes();
      capture.predictions(classes.predictions(plan.classNames()));
      if (plan.wantsGradient()) {
        targets = classes.targets(plan.entry().target(), plan.classNames());
        int rounds = targets.stream().mapToInt(Target::n).max().orElse(-1) + 1;
        for (int n = 0; n < rounds; n++) {
          seeds.add(layout.seed(classes.seed(targets, n), type));
        }
      }
    }
    if (side == null) {
      return true;
    }
    if (side.model().seed() == null || seeds.isEmpty() || !isDifferentiated(side, output)) {
      return record(side, null, 0, output);
    }
    capture.targets(targets);
    GemmHead end = side.model().end();
    Tensor rows = end == null || similarity != null ? null : end.rows(targets);
    if (rows != null) {
      capture.add(TensorName.CLASSIFIER_WEIGHT, rows);
    }
    for (int n = 0; n < seeds.size(); n++) {
      if (!record(side, seeds.get(n), n, output)) {
        return false;
      }
    }
    return true;
  }

  private boolean isDifferentiated(SideSession side, String output) {
    if (output.equals(side.model().output())) {
      return true;
    }
    plan.sayOnce(
        "a run does not ask for output '%s', so that its capture has no gradients"
            .formatted(side.model().output()));
    return false;
  }

  /** The predictor's pictures, otherwise the picture in an input. */
  private @Nullable Tensor pictures() {
    if (values.pictures() != null) {
      return values.pictures();
    }
    for (OnnxTensorLike input : values.inputs().values()) {
      if (input instanceof OnnxTensor tensor && tensor.getInfo().getShape().length == 4) {
        return InputPicture.of(OrtValues.copy(tensor)).orElse(null);
      }
    }
    return null;
  }

  private void addInputsAndOutputs() {
    Tensor pictures = plan.captures(CaptureKind.IMAGE) ? pictures() : null;
    if (pictures != null) {
      capture.add(TensorName.IMAGE, pictures);
    }
    if (plan.captures(CaptureKind.INPUT)) {
      for (int i = 0; i < watched.inputs().size(); i++) {
        OnnxTensorLike input = values.inputs().get(watched.inputs().get(i));
        if (input != null) {
          try {
            capture.add(TensorName.input(i), OrtValues.copy(input));
          } catch (IllegalArgumentException e) {
            plan.unrecordable(TensorName.input(i), e);
          }
        }
      }
    }
    if (plan.captures(CaptureKind.OUTPUT)) {
      for (int i = 0; i < watched.outputs().size(); i++) {
        Tensor output = values.outputs().get(watched.outputs().get(i));
        if (output != null) {
          capture.add(TensorName.output(i), output);
        }
      }
    }
  }

  /** Runs the side session for target {@code n}; false if it is closed. */
  private boolean record(SideSession side, @Nullable Tensor seed, int n, @Nullable String output)
      throws OrtException {
    boolean first = n == 0;
    boolean comparable = first && output != null && side.has(output);
    String compared = comparable && watched.toBeCompared() ? output : null;
    LayerHooks hooks = watched.hooks();
    Set<String> wanted = new LinkedHashSet<>();
    if (compared != null) {
      wanted.add(compared);
    }
    for (SideModel.Tap tap : side.model().taps()) {
      boolean recorded = plan.captures(CaptureKind.ACTIVATION) && tap.recorded();
      boolean seen = first && (recorded || hooks.lookAt(tap.layer()));
      if (seen && !values.inputs().containsKey(tap.activation())) {
        wanted.add(tap.activation());
      }
      if (seed != null && tap.gradient() != null) {
        wanted.add(tap.gradient());
      }
    }
    if (wanted.isEmpty() && !first) {
      return true;
    }
    if (wanted.isEmpty()) { // everything recorded was an input of the session
      wanted.add(side.anyOutput());
    }
    OrtSession.Result result = run(side, seed, wanted);
    if (result == null) {
      return false;
    }
    capture.keep(result);
    if (compared != null && !isSame(compared, result)) {
      watched.giveUp(
          "its file or bytes are not what the application's session computes with (another"
              + " output)");
      return false;
    }
    if (first) {
      hooks.begin();
    }
    for (SideModel.Tap tap : side.model().taps()) {
      boolean recorded = plan.captures(CaptureKind.ACTIVATION) && tap.recorded();
      if (wanted.contains(tap.activation())) {
        OnnxTensor value = tensor(result, tap.activation());
        if (recorded) {
          capture.add(TensorName.activation(tap.layer()), value);
        }
        hooks.forward(session, tap, value);
      } else if (first && values.inputs().get(tap.activation()) instanceof OnnxTensor given) {
        if (recorded) { // a hook's, which ends with the pass
          capture.add(TensorName.activation(tap.layer()), OrtValues.copy(given));
        }
        hooks.forward(session, tap, given);
      }
    }
    for (int i = side.model().taps().size() - 1; i >= 0; i--) { // in the order of the backward pass
      SideModel.Tap tap = side.model().taps().get(i);
      String gradient = tap.gradient();
      if (gradient != null && wanted.contains(gradient)) {
        OnnxTensor value = tensor(result, gradient);
        if (tap.recorded()) {
          capture.add(TensorName.gradient(n, tap.layer()), value);
        }
        if (first) {
          hooks.backward(session, tap, value);
        }
      }
    }
    return true;
  }

  /**
   * A pass that is not captured and whose layers hooks look at.
   *
   * @param session the application's
   */
  static void look(
      WatchedSession watched, Object session, Map<String, ? extends OnnxTensorLike> inputs)
      throws OrtException {
    SideSession side = watched.looking();
    if (side == null) {
      return;
    }
    Set<String> wanted = new LinkedHashSet<>();
    for (SideModel.Tap tap : side.model().taps()) {
      if (!inputs.containsKey(tap.activation())) {
        wanted.add(tap.activation());
      }
    }
    if (wanted.isEmpty()) {
      wanted.add(side.anyOutput());
    }
    try (OrtSession.Result result = side.run(inputs, null, wanted)) {
      if (result != null) {
        watched.hooks().begin();
        for (SideModel.Tap tap : side.model().taps()) {
          OnnxTensor value =
              inputs.get(tap.activation()) instanceof OnnxTensor given
                  ? given
                  : tensor(result, tap.activation());
          watched.hooks().forward(session, tap, value);
        }
      }
    }
  }

  private OrtSession.@Nullable Result run(
      SideSession side, @Nullable Tensor seed, Set<String> wanted) throws OrtException {
    String name = side.model().seed();
    Tensor given = seed;
    if (name != null && given == null) { // the seed is an input even if no gradients are wanted
      Tensor scores = values.outputs().get(side.model().output());
      given = scores == null ? null : zeros(scores);
    }
    if (given == null) {
      return side.run(values.inputs(), null, wanted);
    }
    try (OnnxTensor value = OrtValues.of(watched.environment(), given)) {
      return side.run(values.inputs(), value, wanted);
    }
  }

  private static Tensor zeros(Tensor like) {
    return new Tensor(like.dtype(), like.shape(), ByteBuffer.allocate((int) like.byteSize()));
  }

  private static OnnxTensor tensor(OrtSession.Result result, String name) {
    OnnxValue value = result.get(name).orElseThrow();
    if (value instanceof OnnxTensor tensor) {
      return tensor;
    }
    throw new IllegalStateException(name + " is no tensor but " + value.getType());
  }

  /** Whether both sessions agree, within the tolerance for two engines. */
  private boolean isSame(String output, OrtSession.Result result) {
    Tensor own = values.outputs().get(output);
    float[] theirs = own == null ? new float[0] : own.toFloats();
    float[] ours = OrtValues.copy(tensor(result, output)).toFloats();
    if (ours.length != theirs.length) {
      return false;
    }
    double scale = 0;
    double difference = 0;
    for (int i = 0; i < ours.length; i++) {
      if (Float.isFinite(theirs[i])) {
        scale = Math.max(scale, Math.abs(theirs[i]));
        difference = Math.max(difference, Math.abs(theirs[i] - ours[i]));
      }
    }
    return difference <= SAME * scale;
  }
}
