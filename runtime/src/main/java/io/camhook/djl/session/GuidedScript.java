package io.camhook.djl.session;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.IValue;
import io.camhook.djl.archive.ScriptFile;
import io.camhook.djl.autograd.AutogradGateway;
import io.camhook.djl.autograd.GradMode;
import io.camhook.djl.autograd.ModuleCalls;
import io.camhook.djl.autograd.Tensors;
import io.camhook.engine.ModelSession.OutputGradients;
import io.camhook.recording.Tensor;
import io.camhook.torchscript.TemporaryCopies;
import io.camhook.torchscript.twin.GuidedArchive;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A TorchScript model whose ReLUs cut the graph, loaded beside the explained model. */
final class GuidedScript {
  private final ScriptFile file;
  private final PtSymbolBlock module;
  private final String method;

  private GuidedScript(ScriptFile file, PtSymbolBlock module, String method) {
    this.file = file;
    this.module = module;
    this.method = method;
  }

  /**
   * Loads.
   *
   * @param file closes the model
   * @throws IOException if its ReLUs cannot be guided, with the reason
   */
  static GuidedScript load(ScriptFile file) throws IOException {
    GuidedArchive guided = file.archive().guided();
    Path copy = TemporaryCopies.file(".pt");
    try {
      guided.write(copy);
      return new GuidedScript(file, file.load(copy), guided.method());
    } finally {
      Files.deleteIfExists(copy);
    }
  }

  /** As {@link io.camhook.engine.ModelSession#guidedInputGradient}. */
  Tensor inputGradient(List<Tensor> inputs, int index, OutputGradients target, SessionUse use) {
    try (PtNDManager scratch = file.scratch();
        GradMode mode = new GradMode(true)) {
      NDList arrays = use.arrays(inputs, scratch);
      NDArray leaf = arrays.get(index);
      leaf.setRequiresGradient(true);
      // The first operator may work in place, which is not allowed on a leaf.
      NDArray input = AutogradGateway.instance().tap(scratch, leaf).copy();
      input.setName(leaf.getName());
      arrays.set(index, input);
      try (IValue all = ModuleCalls.run(module, method, arrays, true)) {
        IValue[] parts = all.toIValueTuple();
        NDArray[] pairs = parts[1].toTensorArray(scratch);
        List<GuidedBackward.Cut> cuts = new ArrayList<>();
        for (int i = 0; i < pairs.length; i += 2) {
          cuts.add(new GuidedBackward.Cut(pairs[i], pairs[i + 1]));
        }
        NDArray output = use.scored(ScriptValues.arrays(parts[0], scratch));
        NDArray seed =
            Tensors.inTypeOf(
                output,
                Tensors.toArray(
                    target.at(SessionTensors.toTensor(output, scratch)).get(0), scratch),
                scratch);
        NDArray gradient = GuidedBackward.run(output, seed, cuts, leaf, scratch);
        return gradient == null
            ? SessionTensors.zeros(leaf)
            : SessionTensors.toTensor(gradient, scratch);
      }
    }
  }
}
