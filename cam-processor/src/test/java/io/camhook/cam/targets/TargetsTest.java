package io.camhook.cam.targets;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import io.camhook.cam.CamException;
import io.camhook.cam.ReferenceCase;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class TargetsTest {
  private static final float[] LOGITS = {0.3f, 1.2f, -0.7f, 0.9f, 0.1f, 2.1f};

  static Stream<ScoreTarget> all() {
    return Stream.of(
        Targets.logit(3),
        Targets.softmax(1),
        Targets.rest(1),
        Targets.binary(false),
        Targets.raw(),
        Targets.difference(5, 1),
        Targets.finer(5, LOGITS),
        Targets.finer(0, new int[] {2, 4}, 0.6),
        Targets.segmentation(1, new float[] {1, 0.5f, 0}),
        Targets.regression(0),
        Targets.weighted("mix", new float[] {1, 2, 3, -1, 0, 0.5f}),
        Targets.similarity(new float[] {1, 0, -1, 2, 0.5f, 1}),
        Targets.custom("product", l -> l[0] * l[1]));
  }

  @ParameterizedTest
  @MethodSource("all")
  void gradient_should_be_the_limit_of_the_difference_quotient(ScoreTarget target) {
    float[] gradient = target.gradientAtLogits(LOGITS);
    for (int i = 0; i < LOGITS.length; i++) {
      float[] above = LOGITS.clone();
      float[] below = LOGITS.clone();
      above[i] += 1e-2f;
      below[i] -= 1e-2f;
      double slope = (target.score(above) - target.score(below)) / ((double) above[i] - below[i]);
      // Central differences err by h^2 = 1e-4 times a third derivative below 1.
      assertThat((double) gradient[i])
          .as("%s, output %d", target, i)
          .isCloseTo(slope, within(1e-4));
    }
  }

  @Test
  void softmax_should_be_the_probability() {
    // exp(0), exp(ln 3): 1/4, 3/4.
    assertThat(Targets.softmax(1).score(new float[] {0, (float) Math.log(3)}))
        .isCloseTo(0.75, within(1e-7));
  }

  @Test
  void softmax_gradient_should_be_rounded_as_pytorch_rounds_it() {
    // 1 + e^-15 = 1 + 3.06e-7 is 1 + 3 * 2^-23 in float32, and its reciprocal 1 - 6 * 2^-24: so
    // PyTorch's p (1 - p) is 3.58e-7, where exact arithmetic has 3.06e-7.
    float[] gradient = Targets.softmax(0).gradientAtLogits(new float[] {15, 0});
    assertThat(gradient[0]).isCloseTo(6 * 0x1p-24f, within(1e-12f));
    assertThat((double) gradient[1]).isCloseTo(-Math.exp(-15), within(1e-12));
  }

  @Test
  void similarity_should_be_the_cosine() {
    // (3, 4).(4, 3) / 25
    assertThat(Targets.similarity(new float[] {4, 3}).score(new float[] {3, 4}))
        .isCloseTo(24 / 25.0, within(1e-12));
  }

  @Test
  void segmentation_should_sum_the_class_over_the_mask() {
    // Class 1 of two classes over three pixels: 0.9 + 0.1 / 2.
    assertThat(Targets.segmentation(1, new float[] {1, 0.5f, 0}).score(LOGITS))
        .isCloseTo(0.95, within(1e-6));
  }

  @Test
  void finer_should_weigh_by_probabilities() {
    // Equal logits: p equal, so the mean of s_c - 0.5 s_j = 2 - 1.
    assertThat(Targets.finer(0, new int[] {1, 2}, 0.5).score(new float[] {2, 2, 2}))
        .isCloseTo(1, within(1e-8));
  }

  @Test
  void top_should_give_the_best_classes_first() {
    assertThat(Targets.top(LOGITS, 2))
        .extracting(ScoreTarget::name)
        .containsExactly("class 5", "class 1");
  }

  @Test
  void class_out_of_range_should_say_the_range() {
    assertThatThrownBy(() -> Targets.logit(6).score(LOGITS))
        .isInstanceOf(CamException.class)
        .hasMessage("class 6 is out of range: the model has 6 outputs, 0 to 5");
  }

  @Test
  void mask_of_the_wrong_size_should_say_what_to_do() {
    assertThatThrownBy(() -> Targets.segmentation(0, new float[4]).score(LOGITS))
        .isInstanceOf(CamException.class)
        .hasMessageContaining("a mask of 4 pixels does not fit an output of 6 values");
  }

  @Test
  void missing_label_should_name_the_nearest() {
    Labels labels = new Labels(List.of("tabby, tabby cat", "tiger cat", "tiger", "airship"));
    assertThat(labels.index("Tabby Cat")).isZero();
    assertThat(labels.index("tiger")).isEqualTo(2);
    assertThatThrownBy(() -> TargetChoice.parse("label:tigr cat", labels))
        .isInstanceOf(CamException.class)
        .hasMessageStartingWith("no label 'tigr cat' among 4; nearest: tiger cat, ");
  }

  @Test
  void choice_should_read_what_users_write() {
    Labels labels = new Labels(List.of("a", "b", "c", "d", "e", "f"));
    assertThat(names("top2", labels)).containsExactly("class 5", "class 1");
    assertThat(names("class:3", labels)).containsExactly("class 3");
    assertThat(names("label:c", labels)).containsExactly("class 2");
    assertThat(names("softmax:b", labels)).containsExactly("softmax of class 1");
    assertThat(names("difference:0,f", labels)).containsExactly("class 0 minus class 5");
    assertThat(names("binary:-", labels)).containsExactly("negative side");
    assertThatThrownBy(() -> TargetChoice.parse("best", labels))
        .isInstanceOf(CamException.class)
        .hasMessageStartingWith("target 'best': expected top1, topN, class:INDEX");
  }

  private static List<String> names(String text, Labels labels) {
    return TargetChoice.parse(text, labels).targets(LOGITS).stream()
        .map(ScoreTarget::name)
        .toList();
  }

  @TestFactory
  List<DynamicTest> scores_should_be_those_of_pytorch_grad_cam() {
    return ReferenceCase.testsOrSkip(
        cases -> {
          List<DynamicTest> tests = new ArrayList<>();
          for (ReferenceCase reference : cases) {
            tests.add(DynamicTest.dynamicTest(reference.name(), () -> compareScores(reference)));
          }
          return tests;
        });
  }

  private static void compareScores(ReferenceCase reference) {
    JsonNode targets = reference.doc().get("targets");
    float[] all = reference.tensor("logits").toFloats();
    int size = all.length / targets.size();
    for (int n = 0; n < targets.size(); n++) {
      float[] logits = Arrays.copyOfRange(all, n * size, (n + 1) * size);
      int index = targets.get(n).get("class").asInt();
      ScoreTarget target =
          switch (reference.doc().get("target_kind").asText()) {
            case "softmax" -> Targets.softmax(index);
            case "segmentation" -> Targets.segmentation(index, reference.map("mask", n).values());
            default -> Targets.logit(index);
          };
      double expected = targets.get(n).get("score").asDouble();
      assertThat(target.score(logits))
          .isCloseTo(expected, within(1e-6 * Math.max(1, Math.abs(expected))));
      JsonNode finer = reference.doc().path("methods").path("FinerCAM").path("finer");
      if (finer.isArray()) {
        int[] compared = FinerWeighted.nearest(index, logits, 3);
        List<Integer> wanted = new ArrayList<>();
        finer.get(n).get("compared_with").forEach(v -> wanted.add(v.asInt()));
        assertThat(compared).containsExactly(wanted.stream().mapToInt(i -> i).toArray());
      }
    }
  }
}
