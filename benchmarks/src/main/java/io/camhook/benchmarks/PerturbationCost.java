package io.camhook.benchmarks;

import ai.djl.MalformedModelException;
import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import io.camhook.benchmarks.archives.ImageNets;
import io.camhook.cam.Heatmaps;
import io.camhook.cam.model.RunOptions;
import io.camhook.cam.targets.Labels;
import io.camhook.cam.targets.TargetChoice;
import io.camhook.explain.Explained;
import io.camhook.explain.Explainer;
import io.camhook.explain.ModelInput;
import io.camhook.recording.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.stream.DoubleStream;

/**
 * The cost of perturbation methods in forwards of the same model, a ResNet-18 at {@code layer4}:
 * Ablation-CAM of all 512 channels in plain forwards of one input, and Score-CAM ÷ the forwards of
 * its masked inputs alone. Both sides take turns, and the median round counts. With {@code
 * -Donly=scorecam} prints what Score-CAM of all 512 channels takes, for a comparison with other
 * libraries in processes that take turns.
 */
final class PerturbationCost {
  private static final int ROUNDS = Integer.getInteger("rounds", 9);
  private static final int MASKS = 32;
  private static final long[] INPUT = {1, 3, 224, 224};

  private PerturbationCost() {}

  public static void main(String[] arguments) throws IOException, MalformedModelException {
    Path folder = Files.createTempDirectory("camhook-");
    Path archive = ImageNets.RESNET18.write(folder);
    Verdict verdict = new Verdict();
    try (Model model = Model.newInstance("plain", "PyTorch");
        Explainer explainer = Explainer.load(archive, List.of(ImageNets.RESNET18.layer()))) {
      model.load(folder, archive.getFileName().toString());
      ModelInput input = ModelInput.of("noise", noise());
      Explained explained = explainer.run(input, TargetChoice.parse("top1", Labels.none()));
      RunOptions options = RunOptions.forInput(input.tensors().get(0));
      if ("scorecam".equals(System.getProperty("only"))) {
        Verdict.note(
            1e3 * fastest(() -> explained.map("scorecam", 0, options, Heatmaps.standard())),
            "ms Score-CAM of 512 masks");
        return;
      }
      double ablation =
          ratio(
              () -> explained.map("ablationcam", 0, options, Heatmaps.standard()),
              () -> forward(model, 1));
      verdict.atMost(3, ablation, "plain forwards that Ablation-CAM of 512 channels costs");
      RunOptions few = options.withChannels(MASKS);
      double score =
          ratio(
              () -> explained.map("scorecam", 0, few, Heatmaps.standard()),
              () -> {
                for (int from = 0; from < MASKS; from += few.batch()) {
                  forward(model, Math.min(few.batch(), MASKS - from));
                }
              });
      verdict.atMost(1.1, score, "Score-CAM of %d masks ÷ its forwards".formatted(MASKS));
    } finally {
      Files.deleteIfExists(archive);
      Files.deleteIfExists(folder);
    }
    verdict.exit();
  }

  private static Tensor noise() {
    Random random = new Random(1);
    float[] values = new float[3 * 224 * 224];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return Tensor.ofFloats(values, INPUT);
  }

  private static void forward(Model model, int batch) {
    try (NDManager manager = model.getNDManager().newSubManager()) {
      NDArray input = manager.ones(new Shape(batch, 3, 224, 224));
      NDList out =
          model.getBlock().forward(new ParameterStore(manager, false), new NDList(input), false);
      out.get(0).toFloatArray();
    }
  }

  private static double ratio(Runnable method, Runnable alone) {
    double[] methods = new double[ROUNDS];
    double[] forwards = new double[ROUNDS];
    for (int i = -2; i < ROUNDS; i++) {
      double forward = seconds(alone);
      double whole = seconds(method);
      if (i >= 0) {
        forwards[i] = forward;
        methods[i] = whole;
      }
    }
    Verdict.note(1e3 * Verdict.median(forwards), "ms the forwards alone");
    Verdict.note(1e3 * Verdict.median(methods), "ms the method");
    return Verdict.median(methods) / Verdict.median(forwards);
  }

  /** Of three, after one that does not count. */
  private static double fastest(Runnable work) {
    seconds(work);
    return DoubleStream.generate(() -> seconds(work)).limit(3).min().orElseThrow();
  }

  private static double seconds(Runnable work) {
    long start = System.nanoTime();
    work.run();
    return (System.nanoTime() - start) / 1e9;
  }
}
