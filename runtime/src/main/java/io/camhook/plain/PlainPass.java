package io.camhook.plain;

import io.camhook.capture.Admission;
import io.camhook.capture.ClassScores;
import io.camhook.capture.HeapCapture;
import io.camhook.capture.InputPicture;
import io.camhook.config.CamhookConfig.CaptureKind;
import io.camhook.recording.Capture;
import io.camhook.recording.LayerOutput;
import io.camhook.recording.ModelInfo;
import io.camhook.recording.ModuleInfo;
import io.camhook.recording.Target;
import io.camhook.recording.Tensor;
import io.camhook.recording.TensorName;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/**
 * One captured forward pass of a root module, from its input to the submission of the capture; on
 * one thread.
 */
final class PlainPass implements AutoCloseable {
  private final HookedNetwork network;
  private final @Nullable Admission admission;
  private final boolean dryRun;
  private final Instant time = Instant.now();
  private final Map<String, Integer> calls = new HashMap<>();
  private final Map<LayerOutput, Tensor> activations = new LinkedHashMap<>();
  private final Map<String, ModuleInfo> modules = new LinkedHashMap<>();
  private final @Nullable LayerChain chain;
  private @Nullable Tensor input;
  private @Nullable LayerOutput spatial;
  private @Nullable Object spatialValue;

  /**
   * @param admission room in the queue, which is given back when the pass has ended; null to report
   *     only what would be captured
   */
  PlainPass(HookedNetwork network, @Nullable Admission admission) {
    this.network = network;
    this.admission = admission;
    this.dryRun = admission == null;
    this.chain = dryRun ? null : network.chain();
  }

  /** Idempotent. */
  @Override
  public void close() {
    if (admission != null) {
      admission.close();
    }
  }

  /** A module begins, other than the root. */
  void begin(Object module, @Nullable Object input) {
    if (chain != null) {
      chain.begin(module, input);
    }
  }

  void input(Object value, Object root) {
    if (network.captures(CaptureKind.IMAGE) || network.captures(CaptureKind.INPUT)) {
      input = network.readInput(value, root);
    }
  }

  /** A module returned. */
  void output(String path, Object module, Object value) {
    LayerOutput layer = new LayerOutput(path, calls.merge(path, 1, Integer::sum) - 1, null);
    boolean named = network.captures(path);
    if (chain == null && !named && !network.capturesAuto() && modules.containsKey(path)) {
      return;
    }
    Tensor tensor = network.tensors(module).read(value, module);
    if (chain != null) {
      chain.end(module, layer, value, tensor);
    }
    modules.putIfAbsent(path, info(path, module, tensor));
    if (named) {
      activations.put(layer, tensor);
    } else if (network.capturesAuto() && isSpatial(tensor) && value != spatialValue) {
      if (spatial != null) {
        activations.remove(spatial);
      }
      spatial = layer;
      spatialValue =
          value; // a container that hands on its last layer's output is not a later layer
      activations.put(layer, tensor);
    }
  }

  private static ModuleInfo info(String path, Object module, Tensor output) {
    return new ModuleInfo(
        path, module.getClass().getName(), null, LongStream.of(output.shape()).boxed().toList());
  }

  /** {@code [C,H,W]} or {@code [N,C,H,W]} with more than one position. */
  private static boolean isSpatial(Tensor tensor) {
    int rank = tensor.rank();
    return rank >= 3 && tensor.size(rank - 1) * tensor.size(rank - 2) > 1;
  }

  /** The root returned: computes the wanted gradients and submits the capture. */
  void finish(Object root, Object value, ThreadCalls thread) {
    if (dryRun) {
      thread
          .networks()
          .log()
          .info(
              "dry run: model %s would be hooked at %s"
                  .formatted(network.name(), activations.keySet()));
      return;
    }
    long begin = System.nanoTime();
    Tensor output = network.rootTensors().read(value, root);
    Batch batch = new Batch(output);
    if (!thread.networks().isWanted(network, batch.scores())) {
      thread.networks().recorder().skipped();
      return;
    }
    Capture.Builder capture = Capture.builder(network.name()).time(time);
    if (input != null) {
      Tensor first = batch.with(input);
      if (network.captures(CaptureKind.IMAGE)) {
        InputPicture.of(first).ifPresent(picture -> capture.tensor(TensorName.IMAGE, picture));
      }
      if (network.captures(CaptureKind.INPUT)) {
        capture.tensor(TensorName.input(0), first);
      }
    }
    if (network.captures(CaptureKind.OUTPUT)) {
      capture.tensor(TensorName.output(0), batch.with(output));
    }
    if (network.captures(CaptureKind.ACTIVATION)) {
      activations.forEach(
          (layer, tensor) -> capture.tensor(TensorName.activation(layer), batch.with(tensor)));
    }
    explain(capture, root, value, batch, thread);
    thread.networks().model(network, describe(root, output));
    if (network.wantsLossGradient()) {
      thread.await(new LossCapture(network, root, capture, batch, gradients()));
    } else {
      thread.networks().recorder().submit(new HeapCapture(capture.build()));
    }
    thread.networks().recorder().took(System.nanoTime() - begin);
  }

  private LayerGradients gradients() {
    return new LayerGradients(network, activations.keySet(), calls);
  }

  private ModelInfo describe(Object root, Tensor output) {
    List<ModuleInfo> all = new ArrayList<>();
    all.add(info(".", root, output));
    all.addAll(modules.values());
    return new ModelInfo(network.name(), all);
  }

  private void explain(
      Capture.Builder capture, Object root, Object value, Batch batch, ThreadCalls thread) {
    ClassScores scores = batch.scores();
    if (scores == null) {
      return;
    }
    capture.topK(scores.predictions(network.labels()));
    if (!network.wantsScoreGradient()) {
      return;
    }
    List<Target> targets = scores.targets(network.target(), network.labels());
    int rounds = targets.stream().mapToInt(Target::n).max().orElse(-1) + 1;
    ClassifierRows rows = new ClassifierRows(targets);
    for (int n = 0; n < rounds; n++) {
      int round = n;
      backward(root, value, batch.seed(scores.seed(targets, n)), thread)
          .forEach(
              (layer, tensor) -> {
                Tensor gradient = batch.with(tensor);
                capture.tensor(TensorName.gradient(round, layer), gradient);
                rows.add(round, layer, gradient);
              });
    }
    capture.targets(targets);
    rows.tensor().ifPresent(tensor -> capture.tensor(TensorName.CLASSIFIER_WEIGHT, tensor));
  }

  private Map<LayerOutput, Tensor> backward(
      Object root, Object value, float[] seed, ThreadCalls thread) {
    if (chain != null) {
      return chain.gradients(
          network.rootTensors().read(value, root), seed, activations.keySet(), thread);
    }
    LayerGradients gradients = gradients();
    new OwnBackward(network, gradients).run(root, value, seed, thread);
    return gradients.found();
  }
}
