package io.camhook.djl.pass;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.engine.EngineException;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.IValue;
import ai.djl.pytorch.jni.JniUtils;
import io.camhook.djl.autograd.ModuleCalls;
import io.camhook.torchscript.twin.TapPlan;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Which code between a map and the last linear layer is taken for global average pooling, by
 * editions of one archive's {@code forward}, and that the pass without autograd gives the same as
 * autograd.
 */
class AveragedPassTest {
  private static final String POOLED = "_0 = (gap).forward((features).forward(x, ), )";
  private static final String SCORED = "_1 = (fc).forward((flatten).forward(_0, ), )";
  private static final String CLASS = "class GapLinear(Module):";

  /** The functions of torch.nn.functional, as written by torch.jit.script. */
  private static final String FUNCTIONS =
      """
      def adaptive_avg_pool2d(input: Tensor,
          output_size: List[int]) -> Tensor:
        _0 = torch.gt(torch.len(torch.size(input)), torch.len(output_size))
        if _0:
          pass
        else:
          ops.prim.RaiseException("AssertionError: ")
        _1 = torch.adaptive_avg_pool2d(input, output_size)
        return _1
      def dropout(input: Tensor,
          p: float=0.5,
          training: bool=True,
          inplace: bool=False) -> Tensor:
        if torch.lt(p, 0.):
          _10 = True
        else:
          _10 = torch.gt(p, 1.)
        if _10:
          ops.prim.RaiseException("dropout probability has to be between 0 and 1")
        else:
          pass
        if inplace:
          _11 = torch.dropout_(input, p, training)
        else:
          _11 = torch.dropout(input, p, training)
        return _11
      """;

  @TempDir Path temp;

  private final TorchRun run = new TorchRun();
  private boolean gradMode;
  private TapPlan plan;
  private PtSymbolBlock block;
  private FloatBuffer weight;

  @BeforeEach
  void gradients() {
    gradMode = JniUtils.isGradMode();
    JniUtils.setGradMode(true);
  }

  @AfterEach
  void close() {
    JniUtils.setGradMode(gradMode);
    run.close();
  }

  /** Loads the archive with other lines in {@code forward}; {@code /} stands for a line break. */
  private void load(String pooled, String scored) throws Exception {
    Map<String, String> edits =
        Map.of(
            POOLED, pooled.replace("/", "\n    "),
            SCORED, scored.replace("/", "\n    "),
            CLASS, FUNCTIONS + CLASS);
    GapLinear net = GapLinear.load(run, temp, "nets.py", edits);
    plan = net.plan();
    block = net.block();
    weight = net.weight();
  }

  private NDList input(int samples) {
    run.manager.getEngine().setRandomSeed(3);
    return new NDList(run.manager.randomNormal(new Shape(samples, 3, 48, 40)).mul(3));
  }

  private static float[] floats(NDArray array) {
    return TorchRun.floats((PtNDArray) array);
  }

  private void requireWhatAutogradGives(int samples, int target) {
    GradientPass pass = GradientPass.run(block, plan, target, input(samples), false, run.manager);
    GradientPass other = GradientPass.run(block, plan, target, input(samples), true, run.manager);
    assertThat(pass.classes()).hasSize(samples).isEqualTo(other.classes());
    assertThat(pass.labels()).hasToString("[features]").isEqualTo(other.labels());
    assertThat(floats(pass.output())).isEqualTo(floats(other.output()));
    assertThat(floats(pass.scores())).isEqualTo(floats(other.scores()));
    assertThat(floats(pass.classifierRows())).isEqualTo(floats(other.classifierRows()));
    assertThat(floats(pass.taps().get(0))).isEqualTo(floats(other.taps().get(0)));
    NDArray gradient = pass.gradients().get(0);
    assertThat(gradient.getShape()).isEqualTo(pass.taps().get(0).getShape());
    assertThat(floats(gradient)).isEqualTo(floats(other.gradients().get(0)));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          # what the map is pooled with                            | what makes scores of it
          _0 = (gap).forward((features).forward(x, ), )            | _1 = (fc).forward((flatten).forward(_0, ), )
          _0 = torch.adaptive_avg_pool2d((features).forward(x, ), [1, 1]) | _1 = (fc).forward(torch.flatten(_0, 1), )
          _0 = torch.mean((features).forward(x, ), [2, 3])         | _1 = (fc).forward(_0, )
          _0 = torch.mean((features).forward(x, ), [-1, -2], True) | _1 = (fc).forward(torch.flatten(_0, 1, -1), )
          _0 = torch.mean((features).forward(x, ), [-2, -1])       | _1 = (fc).forward(_0, )
          _0 = (gap).forward((features).forward(x, ), )            | _1 = (fc).forward(torch.view(_0, [torch.size(_0, 0), -1]), )
          _0 = (gap).forward((features).forward(x, ), )            | _1 = (fc).forward(torch.reshape(_0, [-1, torch.size(_0, 1)]), )
          _0 = (gap).forward((features).forward(x, ), )            | _1 = (fc).forward(torch.dropout(torch.flatten(_0, 1), 0.5, False), )
          _0 = (gap).forward((features).forward(x, ), )            | _1 = (fc).forward(torch.dropout_(torch.flatten(_0, 1), 0.5, self.training), )
          f = __torch__.nets.adaptive_avg_pool2d/_0 = f((features).forward(x, ), [1, 1], ) | t = self.training/d = __torch__.nets.dropout(torch.flatten(_0, 1), 0.2, t, False, )/_1 = (fc).forward(d, )
          _0 = __torch__.nets.adaptive_avg_pool2d(output_size=[1, 1], input=(features).forward(x, )) | _1 = (fc).forward(__torch__.nets.dropout(torch.flatten(_0, 1), training=False), )
          m = (features).forward(x, )/if torch.gt(torch.dim(m), 4):/  _0 = (gap).forward(m, )/else:/  _0 = torch.mean(m, [2, 3], True) | _1 = (fc).forward((flatten).forward(_0, ), )
          """)
  void average_should_need_no_autograd(String pooled, String scored) throws Exception {
    load(pooled, scored);
    assertThat(plan.averagedMethod()).isEqualTo("camhook_averaged");
    requireWhatAutogradGives(1, -1);
    requireWhatAutogradGives(4, -1);
    requireWhatAutogradGives(3, 2);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          _0 = (gap).forward(torch.relu((features).forward(x, )), )  | _1 = (fc).forward((flatten).forward(_0, ), )
          _0 = torch.sum((features).forward(x, ), [2, 3], True)      | _1 = (fc).forward((flatten).forward(_0, ), )
          _0 = torch.amax((features).forward(x, ), [2, 3], True)     | _1 = (fc).forward((flatten).forward(_0, ), )
          _0 = torch.mean((features).forward(x, ), [0, 2, 3], True)  | _1 = (fc).forward((flatten).forward(_0, ), )
          _0 = torch.mul((gap).forward((features).forward(x, ), ), 2) | _1 = (fc).forward((flatten).forward(_0, ), )
          _0 = (gap).forward((features).forward(x, ), )              | _1 = (fc).forward(torch.softmax((flatten).forward(_0, ), 1), )
          _0 = (gap).forward((features).forward(x, ), )              | _1 = torch.mul((fc).forward((flatten).forward(_0, ), ), 2)
          m = (features).forward(x, )/_0 = torch.add((gap).forward(m, ), torch.mean(torch.relu(m), [2, 3], True)) | _1 = (fc).forward((flatten).forward(_0, ), )
          m = (features).forward(x, )/_0 = (gap).forward(m, )/_2 = torch.relu_(m) | _1 = (fc).forward((flatten).forward(_0, ), )
          m = (features).forward(x, )/n = m/_2 = torch.mul_(n, 2)/_0 = (gap).forward(m, ) | _1 = (fc).forward((flatten).forward(_0, ), )
          m = (features).forward(x, )/l = [m]/_0 = (gap).forward(l[0], ) | _1 = (fc).forward((flatten).forward(_0, ), )
          m = (features).forward(x, )/for i in range(2):/  m = torch.mul(m, 2)/_0 = (gap).forward(m, ) | _1 = (fc).forward((flatten).forward(_0, ), )
          m = (features).forward(x, )/if torch.gt(torch.dim(m), 3):/  _0 = (gap).forward(torch.mul(m, 2), )/else:/  _0 = (gap).forward(m, ) | _1 = (fc).forward((flatten).forward(_0, ), )
          m = (features).forward(x, )/if torch.gt(torch.dim(m), 3):/  n = torch.mul(m, 2)/else:/  n = m/_0 = (gap).forward(n, ) | _1 = (fc).forward((flatten).forward(_0, ), )
          _0 = (gap).forward((features).forward(x, ), )              | _2 = (flatten).forward(_0, )/_3 = torch.mul_(_2, 2)/_1 = (fc).forward(_2, )
          # masks, ceil_mode, channels last, keepdim without flatten, a linear layer that is called twice, lists that are changed
          m = (features).forward(x, )/_0 = (gap).forward(torch.mul(m, torch.gt(m, 0.5)), ) | _1 = (fc).forward((flatten).forward(_0, ), )
          m = (features).forward(x, )/_0 = torch.mean(torch.avg_pool2d(m, [2, 2], [2, 2], [0, 0], True, True), [2, 3], True) | _1 = (fc).forward((flatten).forward(_0, ), )
          m = (features).forward(x, )/_0 = torch.mean(torch.permute(m, [0, 2, 3, 1]), [1, 2]) | _1 = (fc).forward(_0, )
          _0 = torch.mean((features).forward(x, ), [2, 3], True)     | _1 = (fc).forward(torch.squeeze(_0), )
          _0 = (gap).forward((features).forward(x, ), )              | f = (flatten).forward(_0, )/_1 = torch.add((fc).forward(f, ), (fc).forward(f, ))
          k = [1, 1]/_2 = torch._set_item(k, 0, 1)/_0 = torch.adaptive_avg_pool2d((features).forward(x, ), k) | _1 = (fc).forward((flatten).forward(_0, ), )
          k = [2, 3]/l = k/_2 = torch.append(l, -1)/_3 = torch.pop(l, -1)/_0 = torch.mean((features).forward(x, ), k, True) | _1 = (fc).forward((flatten).forward(_0, ), )
          """)
  void everything_else_should_be_differentiated(String pooled, String scored) throws Exception {
    load(pooled, scored);
    assertThat(plan.averagedMethod()).isNull();
    GradientPass pass = GradientPass.run(block, plan, 2, input(2), false, run.manager);
    TorchRun.Pass whole = run.tapped(block, plan, List.of((PtNDArray) input(2).get(0)));
    NDArray score = run.arrays(whole.result()).get(0).get(":,2").sum();
    List<PtNDArray> expected = run.gradients((PtNDArray) score, whole.taps());
    assertThat(floats(pass.taps().get(0))).isEqualTo(TorchRun.floats(whole.taps().get(0)));
    assertThat(Deviation.of(floats(pass.gradients().get(0)), TorchRun.floats(expected.get(0))))
        .isLessThan(1e-6);
  }

  @Test
  void features_of_one_dimension_should_be_differentiated() throws Exception {
    load(POOLED, "_1 = (fc).forward(torch.flatten(_0, 0), )");
    assertThat(plan.averagedMethod()).isNull();
    GradientPass pass = GradientPass.run(block, plan, 2, input(1), false, run.manager);
    assertThat(pass.classes()).containsExactly(2);
    float[] gradient = floats(pass.gradients().get(0));
    int pixels = gradient.length / 48;
    for (int i = 0; i < gradient.length; i++) {
      float expected = weight.get(2 * 48 + i / pixels) / pixels;
      assertThat(gradient[i]).isCloseTo(expected, within(1e-7f)); // W is below 1
    }
  }

  @Test
  void result_should_be_as_unchangeable_as_without_the_agent() throws Exception {
    load(POOLED, SCORED);
    GradientPass pass = GradientPass.run(block, plan, -1, input(2), false, run.manager);
    try (IValue plain = ModuleCalls.run(block, "forward", input(2), false)) {
      for (NDArray output : List.of(plain.toTensor(run.manager), pass.output())) {
        assertThatThrownBy(() -> output.muli(0)).hasMessageContaining("inference tensor");
      }
    }
  }

  @Test
  void map_of_another_dimension_than_its_code_says_should_be_an_error_not_a_wrong_result()
      throws Exception {
    load(
        "_0 = torch.mean((features).forward(x, ), [2], True)", // [N,C,1,W], not [N,C,1]
        "_1 = (fc).forward(torch.reshape(_0, [-1, 48]), )");
    assertThat(plan.averagedMethod()).isNotNull();
    assertThatThrownBy(() -> GradientPass.run(block, plan, 2, input(2), false, run.manager))
        .isInstanceOf(EngineException.class)
        .hasMessageContaining("camhook: the map has 4 dimensions, not 3");
    GradientPass pass = GradientPass.run(block, plan, 2, input(2), true, run.manager);
    assertThat(pass.gradients()).doesNotContainNull();
  }

  @Test
  void class_that_is_not_there_should_give_no_gradients() throws Exception {
    load(POOLED, SCORED);
    GradientPass pass = GradientPass.run(block, plan, 1000, input(2), false, run.manager);
    assertThat(pass.classes()).containsExactly(1000, 1000);
    assertThat(pass.gradients()).containsOnlyNulls();
    assertThat(pass.classifierRows()).isNull();
    assertThat(pass.taps()).hasSize(1);
  }

  @Test
  void batch_without_samples_should_give_no_gradients() throws Exception {
    load(POOLED, SCORED);
    for (boolean training : new boolean[] {false, true}) {
      NDList none = new NDList(run.manager.zeros(new Shape(0, 3, 48, 40)));
      GradientPass pass = GradientPass.run(block, plan, -1, none, training, run.manager);
      assertThat(pass.output().getShape().get(0)).isZero();
      assertThat(pass.classes()).isEmpty();
      assertThat(pass.gradients()).containsOnlyNulls();
    }
  }

  /** With p = 0.5 the gradient is 0 or 2 W/(h·w) while dropout is active, otherwise W/(h·w). */
  @Test
  void dropout_should_be_differentiated_while_it_is_at_work() throws Exception {
    load(POOLED, "_1 = (fc).forward(torch.dropout(torch.flatten(_0, 1), 0.5, self.training), )");
    assertThat(plan.averagedMethod()).isNotNull();
    for (int i = 0; i < 4; i++) { // the JIT specialises after the first runs
      JniUtils.enableTrainingMode(block);
      requireFactors(2, true);
      JniUtils.enableInferenceMode(block);
      requireFactors(1, false);
    }
  }

  private void requireFactors(float factor, boolean zeros) {
    GradientPass pass = GradientPass.run(block, plan, 1, input(2), false, run.manager);
    float[] gradient = floats(pass.gradients().get(0));
    Shape shape = pass.taps().get(0).getShape();
    int channels = (int) shape.get(1);
    int pixels = (int) (shape.get(2) * shape.get(3));
    int dropped = 0;
    for (int i = 0; i < gradient.length; i++) {
      if (gradient[i] == 0) {
        dropped++;
      } else {
        float w = weight.get(channels + i / pixels % channels);
        assertThat(gradient[i]).isCloseTo(factor * w / pixels, within(1e-7f)); // W is below 1
      }
    }
    assertThat(dropped > 0).isEqualTo(zeros);
  }
}
