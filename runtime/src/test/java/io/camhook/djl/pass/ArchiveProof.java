package io.camhook.djl.pass;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.JniUtils;
import com.fasterxml.jackson.databind.JsonNode;
import io.camhook.torchscript.twin.InstrumentedArchive;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** One archive, every path: activations and gradients against the reference, logits unchanged. */
final class ArchiveProof {
  /** The required tolerance: another build of libtorch rounds differently. */
  static final double TOLERANCE = 1e-4;

  /**
   * Half of bfloat16's precision of 2⁻⁷: the tolerance of a value that was rounded once from
   * another sum. The processor decides which kernels have a bfloat16 convolution (with and without
   * avx512bw, and with avx512_bf16, they differ), and each rounds gradients in other places.
   */
  private static final double ROUNDED_ELSEWHERE = 0x1p-8;

  /**
   * An output of the model that the model also uses itself and no module returned: once the JIT has
   * specialised, its maker and its user are one node of the graph, and no gradient is seen between
   * them.
   */
  private static final String INSIDE_ONE_NODE = "namedtuple_output.scripted .:features";

  /** One line of the table. */
  record Row(
      String archive, int paths, int tensors, double median, double worst, boolean identical) {
    static final String HEADER =
        String.format(
            "%-32s %5s %7s %8s %8s  %s",
            "archive", "paths", "tensors", "median", "worst", "logits");

    @Override
    public String toString() {
      return String.format(
          "%-32s %5d %7d %8.1e %8.1e  %s",
          archive, paths, tensors, median, worst, identical ? "identical" : "close");
    }
  }

  private final ReferenceArchive archive;
  private final double gradientTolerance;
  private final List<Double> errors = new ArrayList<>();
  private final List<String> wrong = new ArrayList<>();
  private final Set<String> paths = new HashSet<>();

  private ArchiveProof(ReferenceArchive archive) throws IOException {
    this.archive = archive;
    String processor = Files.readString(Path.of("/proc/cpuinfo"));
    boolean elsewhere =
        archive.name().startsWith("bfloat16")
            && (!processor.contains("avx512bw") || processor.contains("avx512_bf16"));
    this.gradientTolerance = elsewhere ? ROUNDED_ELSEWHERE : TOLERANCE;
  }

  /**
   * Runs it.
   *
   * @param folder for the instrumented copy
   * @throws AssertionError naming every path that is wrong
   */
  static Row of(String name, Path folder) throws Exception {
    return new ArchiveProof(ReferenceArchive.of(name)).run(folder);
  }

  private Row run(Path folder) throws Exception {
    InstrumentedArchive instrumented = archive.everyPath();
    Path copy = folder.resolve(archive.name() + ".pt");
    instrumented.write(copy);
    try (TorchRun run = new TorchRun()) {
      JniUtils.setGradMode(true);
      List<PtNDArray> inputs = archive.inputs(run);
      List<float[]> expected = run.values(run.plain(run.load(archive.file()), inputs));
      PtSymbolBlock block = run.load(copy);
      TorchRun.Pass pass = run.tapped(block, instrumented.plan(), inputs);
      for (int i = 0; i < 2; i++) { // the JIT specialises after the first runs
        pass = run.tapped(block, instrumented.plan(), inputs);
      }
      boolean identical = same(run.values(pass.result()), expected);
      assertThat(same(run.values(run.plain(block, inputs)), expected))
          .as(archive.name() + ": forward of the instrumented copy is bit-identical")
          .isTrue();
      check(pass, gradients(run, pass));
      assertThat(wrong).as(archive.name()).isEmpty();
      errors.sort(null);
      return new Row(
          archive.name(),
          paths.size(),
          errors.size(),
          errors.get(errors.size() / 2),
          errors.get(errors.size() - 1),
          identical);
    }
  }

  private List<PtNDArray> gradients(TorchRun run, TorchRun.Pass pass) throws Exception {
    PtNDArray score = archive.hasGradients() ? archive.score(run, pass.result()) : null;
    return score == null ? List.of() : run.gradients(score, pass.taps());
  }

  private void check(TorchRun.Pass pass, List<PtNDArray> gradients) {
    Map<String, Integer> found = new HashMap<>();
    for (int i = 0; i < pass.labels().size(); i++) {
      found.put(pass.labels().get(i).toString(), i);
    }
    for (ReferenceArchive.Output output : archive.outputs()) {
      Integer at = found.getOrDefault(output.archiveLabel(), found.get(output.label()));
      assertThat(at).as(archive.name() + " recorded " + output.label()).isNotNull();
      paths.add(output.path());
      JsonNode tensor = output.tensor();
      float[] activation = TorchRun.floats(pass.taps().get(at));
      add(
          output.label() + " activation",
          Deviation.of(activation, tensor.get("act"), tensor.get("at")),
          TOLERANCE);
      if (!gradients.isEmpty()) {
        checkGradient(output, gradients.get(at));
      }
    }
    for (ReferenceArchive.Full full : archive.full()) {
      Integer at = found.get(full.archiveLabel());
      assertThat(at).as(archive.name() + " recorded " + full.archiveLabel()).isNotNull();
      float[] activation = TorchRun.floats(pass.taps().get(at));
      add(
          full.archiveLabel() + " whole activation",
          Deviation.of(activation, full.activation().toFloats()),
          TOLERANCE);
      if (!gradients.isEmpty()) {
        float[] gradient = TorchRun.floats(gradients.get(at));
        add(
            full.archiveLabel() + " whole gradient",
            Deviation.of(gradient, full.gradient().toFloats()),
            gradientTolerance);
      }
    }
  }

  private void checkGradient(ReferenceArchive.Output output, PtNDArray gradient) {
    JsonNode tensor = output.tensor();
    if (tensor.get("grad").isNull() || gradient == null) {
      boolean known = INSIDE_ONE_NODE.equals(archive.name() + " " + output.label());
      if (tensor.get("grad").isNull() != (gradient == null) && !known) {
        wrong.add(
            output.label() + " gradient " + (gradient == null ? "missing" : "where none flows"));
      }
      return;
    }
    float[] values = TorchRun.floats(gradient);
    double error = Deviation.of(values, tensor.get("grad"), tensor.get("at"));
    if (tensor.has("grad_if_copied")) {
      error = Math.min(error, Deviation.of(values, tensor.get("grad_if_copied"), tensor.get("at")));
    }
    add(output.label() + " gradient", error, gradientTolerance);
  }

  private void add(String what, double error, double tolerance) {
    errors.add(error);
    if (!(error < tolerance)) {
      wrong.add(what + " " + error);
    }
  }

  private static boolean same(List<float[]> found, List<float[]> expected) {
    if (found.size() != expected.size()) {
      return false;
    }
    for (int i = 0; i < found.size(); i++) {
      if (!Arrays.equals(found.get(i), expected.get(i))) {
        return false;
      }
    }
    return true;
  }
}
