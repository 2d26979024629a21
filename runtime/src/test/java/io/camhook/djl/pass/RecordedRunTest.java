package io.camhook.djl.pass;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.IValue;
import ai.djl.pytorch.jni.JniUtils;
import io.camhook.djl.autograd.ModuleCalls;
import io.camhook.recording.Tensor;
import io.camhook.torchscript.TorchScriptArchive;
import io.camhook.torchscript.archive.ArchiveException;
import io.camhook.torchscript.twin.InstrumentedArchive;
import io.camhook.torchscript.twin.TapPlan;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RecordedRunTest {
  private static final Path RESOURCES = Path.of("src/test/resources/torchscript");
  private static final Path REFERENCE =
      Path.of(System.getProperty("camhook.reference", ""), "torchscript");

  @TempDir Path temp;

  @Test
  void twin_should_hand_out_what_the_module_returned() throws Exception {
    InstrumentedArchive instrumented =
        TorchScriptArchive.open(RESOURCES.resolve("one_conv.scripted.pt"))
            .instrument(List.of("conv1", "relu1", "."));
    Path copy = temp.resolve("copy.pt");
    instrumented.write(copy);
    try (TorchRun run = new TorchRun()) {
      JniUtils.setGradMode(true);
      PtSymbolBlock block = run.load(copy);
      float[] pixels = new float[16];
      for (int i = 0; i < 16; i++) {
        pixels[i] = i;
      }
      NDList input = new NDList(run.array(Tensor.ofFloats(pixels, 1, 1, 4, 4)));
      RecordedRun pass =
          RecordedRun.run(block, instrumented.plan(), input, true, true, run.manager);
      assertThat(pass.labels().stream().map(TapPlan.Label::toString))
          .containsExactly("conv1", "relu1", ".");
      assertThat(pass.outputs().head().getFloat(0, 0)).isEqualTo(54f); // hand-set weights
    }
  }

  @Test
  void resumed_model_should_give_the_same_logits_for_each_of_a_batch() throws Exception {
    InstrumentedArchive instrumented =
        TorchScriptArchive.open(RESOURCES.resolve("gap_linear.traced.pt"))
            .instrument(List.of("features"));
    Path copy = temp.resolve("copy.pt");
    instrumented.write(copy);
    TapPlan plan = instrumented.plan();
    try (TorchRun run = new TorchRun()) {
      PtSymbolBlock block = run.load(copy);
      NDList input = new NDList(run.manager.ones(new Shape(1, 3, 48, 40)));
      RecordedRun pass = RecordedRun.run(block, plan, input, false, false, run.manager);
      PtNDArray features = (PtNDArray) pass.taps().get(0);
      String resume = plan.resumeMethod("features").orElseThrow();
      NDList batch = new NDList(features.repeat(0, 3));
      try (IValue result = ModuleCalls.run(block, resume, batch, false)) {
        PtNDArray logits = (PtNDArray) result.toNDList(run.manager).head();
        assertThat(logits.getShape().get(0)).isEqualTo(3);
        assertThat(logits.get(1).allClose(pass.outputs().head().get(0))).isTrue();
      }
      try (IValue result = ModuleCalls.run(block, plan.untilMethod(), input, false)) {
        IValue[] parts = result.toIValueTuple();
        assertThat(plan.labels(parts[1].toStringValue())).isEqualTo(pass.labels());
        assertThat(parts[0].toTensorArray(run.manager)[0].toFloatArray())
            .isEqualTo(features.toFloatArray());
      }
    }
  }

  @Test
  void every_reference_archive_should_load_with_until_and_resume_methods() throws Exception {
    assumeTrue(Files.isDirectory(REFERENCE), "no reference data in " + REFERENCE);
    for (String name :
        List.of(
            "dict_root.scripted",
            "tuple_module.traced",
            "control_flow.scripted",
            "shared_module.traced")) {
      TorchScriptArchive archive = TorchScriptArchive.open(REFERENCE.resolve(name + ".pt"));
      List<String> called =
          archive.modules().stream()
              .filter(m -> m.callSites() > 0)
              .map(m -> m.path())
              .skip(1)
              .toList();
      InstrumentedArchive instrumented = archive.instrument(called);
      Path copy = temp.resolve(name + ".pt");
      instrumented.write(copy);
      try (TorchRun run = new TorchRun()) {
        PtSymbolBlock block = run.load(copy);
        int size = name.equals("control_flow.scripted") || name.startsWith("shared") ? 24 : 32;
        NDList input = new NDList(run.manager.ones(new Shape(1, 3, size, size)));
        RecordedRun pass =
            RecordedRun.run(block, instrumented.plan(), input, false, false, run.manager);
        try (IValue result =
            ModuleCalls.run(block, instrumented.plan().untilMethod(), input, false)) {
          String labels = result.toIValueTuple()[1].toStringValue();
          assertThat(instrumented.plan().labels(labels)).as(name).isEqualTo(pass.labels());
        }
      }
    }
  }

  @Test
  void frozen_and_inlined_archives_should_say_what_their_layers_are() throws Exception {
    assumeTrue(Files.isDirectory(REFERENCE), "no reference data in " + REFERENCE);
    for (String form : List.of("frozen", "frozen_traced", "inlined")) {
      String name = "resnet_inlined." + form + ".pt";
      TorchScriptArchive archive = TorchScriptArchive.open(REFERENCE.resolve(name));
      assertThatThrownBy(() -> archive.instrument(List.of("layer9")))
          .isInstanceOf(ArchiveException.class)
          .hasMessageStartingWith(name + ": ")
          .hasMessageContaining(form.startsWith("frozen") ? "was frozen" : "was inlined")
          .hasMessageEndingWith("its layers are the values of its operators");
      InstrumentedArchive root = archive.instrument(List.of("."));
      Path copy = temp.resolve(name);
      root.write(copy);
      try (TorchRun run = new TorchRun()) {
        PtSymbolBlock block = run.load(copy);
        NDList input = new NDList(run.manager.ones(new Shape(1, 3, 64, 64)));
        RecordedRun pass = RecordedRun.run(block, root.plan(), input, false, false, run.manager);
        assertThat(pass.taps().get(0).toFloatArray())
            .isEqualTo(pass.outputs().head().toFloatArray());
      }
    }
  }
}
