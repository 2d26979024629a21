package io.camhook.cam;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.camhook.cam.FeatureFactorization.Concept;
import io.camhook.cam.model.ConceptOutputs;
import io.camhook.cam.model.ForwardModel;
import io.camhook.recording.Tensor;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * An activation of four channels over 1 x 4 positions that is exactly the product of two concepts
 * and their maps, each with a channel and a position of its own, which makes the factorization
 * unique but for scale and order:
 *
 * <pre>
 *   concept a (4, 0, 2, 0), map (1, 0.5, 0, 0)
 *   concept b (0, 3, 1, 0), map (0, 0.5, 1, 0)
 * </pre>
 */
class FeatureFactorizationTest {
  private static final float[] A = {
    4, 2, 0, 0, // 4 a
    0, 1.5f, 3, 0, // 3 b
    2, 1.5f, 1, 0, // 2 a + b
    0, 0, 0, 0
  };
  private static final long[] INPUT = {1, 3, 1, 8};
  private static final LayerTensors LAYER =
      LayerTensors.of("conv", Tensor.ofFloats(A, 1, 4, 1, 4), null);

  @Test
  void exact_product_should_be_recovered() {
    FeatureFactorization found = FeatureFactorization.of(LAYER, INPUT, 2, 0);
    assertThat(found.error()).isLessThan(1e-3);
    Concept a = found.concepts().get(0);
    Concept b = found.concepts().get(1);
    assertThat(a.vector()).usingComparatorWithPrecision(1e-2f).containsExactly(4, 0, 2, 0);
    assertThat(b.vector()).usingComparatorWithPrecision(1e-2f).containsExactly(0, 3, 1, 0);
    assertThat(a.maps().get(0).values())
        .usingComparatorWithPrecision(5e-3f)
        .containsExactly(1, 0.5f, 0, 0);
    assertThat(b.maps().get(0).values())
        .usingComparatorWithPrecision(5e-3f)
        .containsExactly(0, 0.5f, 1, 0);
    // |X|² = 16 + 4 + 2.25 + 9 + 4 + 2.25 + 1 = 38.5; <a, X> = 1 (16 + 4) + 0.5 (8 + 3) = 25.5,
    // <b, X> = 0.5 (4.5 + 1.5) + 1 (9 + 1) = 13: together all of it.
    assertThat(a.share()).isCloseTo(25.5 / 38.5, within(5e-3));
    assertThat(b.share()).isCloseTo(13 / 38.5, within(5e-3));
    assertThat(found.unexplained()).isCloseTo(0, within(1e-3));
  }

  @Test
  void batch_should_share_its_concepts() {
    float[] two = new float[2 * A.length];
    System.arraycopy(A, 0, two, 0, A.length);
    // The second sample shows concept b alone, at position 3.
    two[A.length + 7] = 3;
    two[A.length + 11] = 1;
    LayerTensors batch = LayerTensors.of("conv", Tensor.ofFloats(two, 2, 4, 1, 4), null);
    FeatureFactorization found = FeatureFactorization.of(batch, new long[] {2, 3, 1, 8}, 2, 0);
    // <a, X> = 25.5 as before, <b, X> = 13 + 10 with the second sample: a stays first.
    Concept b = found.concepts().get(1);
    assertThat(b.vector()).usingComparatorWithPrecision(1e-2f).containsExactly(0, 3, 1, 0);
    assertThat(b.maps().get(1).values())
        .usingComparatorWithPrecision(5e-3f)
        .containsExactly(0, 0, 0, 1);
    assertThat(found.concepts().get(0).maps().get(1).max()).isLessThan(5e-3f);
  }

  @Test
  void same_seed_should_give_the_same_concepts() {
    FeatureFactorization one = FeatureFactorization.of(LAYER, INPUT, 2, 7);
    FeatureFactorization two = FeatureFactorization.of(LAYER, INPUT, 2, 7);
    for (int k = 0; k < 2; k++) {
      assertThat(one.concepts().get(k).vector()).isEqualTo(two.concepts().get(k).vector());
      assertThat(one.concepts().get(k).maps().get(0).values())
          .isEqualTo(two.concepts().get(k).maps().get(0).values());
    }
  }

  @Test
  void negative_activations_should_be_factorized_above_their_smallest() {
    float[] shifted = A.clone();
    for (int i = 0; i < 4; i++) {
      shifted[i] -= 5;
    }
    LayerTensors layer = LayerTensors.of("conv", Tensor.ofFloats(shifted, 1, 4, 1, 4), null);
    Concept a = FeatureFactorization.of(layer, INPUT, 2, 0).concepts().get(0);
    // Channel 0 is 5 lower, and so is the concept.
    assertThat(a.vector()).usingComparatorWithPrecision(1e-2f).containsExactly(-1, 0, 2, 0);
  }

  @Test
  void constant_activation_should_stay_finite() {
    LayerTensors layer = LayerTensors.of("conv", Tensor.ofFloats(new float[16], 1, 4, 1, 4), null);
    FeatureFactorization found = FeatureFactorization.of(layer, INPUT, 1, 0);
    assertThat(found.error()).isZero();
    assertThat(found.concepts().get(0).share()).isZero();
    for (float v : found.heatmaps(0, new int[] {1, 8}).get(0).values()) {
      assertThat(v).isBetween(0f, 1f);
    }
  }

  @Test
  void heatmaps_should_be_scaled_and_resized() {
    FloatMap heat =
        FeatureFactorization.of(LAYER, INPUT, 2, 0).heatmaps(0, new int[] {1, 8}).get(0);
    assertThat(heat.shape()).containsExactly(1, 8);
    // (1, 0.5, 0, 0) at half-pixel centres: the ends repeat, between them quarters.
    assertThat(heat.values())
        .usingComparatorWithPrecision(5e-3f)
        .containsExactly(1, 0.875f, 0.625f, 0.375f, 0.125f, 0, 0, 0);
  }

  @Test
  void concepts_should_be_classified_by_the_linear_layer() {
    FeatureFactorization found = FeatureFactorization.of(LAYER, INPUT, 2, 0);
    Tensor weight = Tensor.ofFloats(new float[] {1, 0, 0, 0, 0, 1, 1, 0}, 2, 4);
    List<float[]> outputs = found.outputs(weight, Tensor.ofFloats(new float[] {10, 0}, 2));
    // a: 4 + 10 and 0 + 2; b: 0 + 10 and 3 + 1.
    assertThat(outputs.get(0)).usingComparatorWithPrecision(1e-2f).containsExactly(14, 2);
    assertThat(outputs.get(1)).usingComparatorWithPrecision(1e-2f).containsExactly(10, 4);
    assertThatThrownBy(() -> found.outputs(Tensor.ofFloats(new float[6], 2, 3), null))
        .isInstanceOf(CamException.class)
        .hasMessageContaining("layer conv has 4 channels")
        .hasMessageContaining("[2, 3]");
  }

  @Test
  void concepts_should_be_classified_by_the_rest_of_the_model() {
    FeatureFactorization found = FeatureFactorization.of(LAYER, INPUT, 2, 0);
    ForwardModel pooling =
        new ForwardModel() {
          @Override
          public Tensor outputs(Tensor input) {
            throw new AssertionError("only the rest of the model is run");
          }

          @Override
          public Tensor outputsFrom(String path, Tensor activation, Tensor input) {
            assertThat(path).isEqualTo("conv");
            assertThat(activation.shape()).containsExactly(2, 4, 1, 4);
            double[] means = Channels.means(activation.toFloats(), 8);
            float[] out = new float[8];
            for (int i = 0; i < 8; i++) {
              out[i] = (float) means[i];
            }
            return Tensor.ofFloats(out, 2, 4);
          }
        };
    List<float[]> outputs =
        ConceptOutputs.of(pooling, Tensor.ofFloats(new float[24], INPUT), LAYER, found);
    assertThat(outputs.get(0)).usingComparatorWithPrecision(1e-2f).containsExactly(4, 0, 2, 0);
    assertThat(outputs.get(1)).usingComparatorWithPrecision(1e-2f).containsExactly(0, 3, 1, 0);
  }

  @Test
  void too_many_concepts_should_say_how_many_there_can_be() {
    assertThatThrownBy(() -> FeatureFactorization.of(LAYER, INPUT, 5, 0))
        .isInstanceOf(CamException.class)
        .hasMessage("layer conv of 4 channels and 4 positions has 1 to 4 concepts, found 5");
  }

  @Test
  void concepts_should_explain_most_of_a_trained_layer() {
    ReferenceCase reference = ReferenceCase.named("cifar_resnet20_both_crop");
    FeatureFactorization found =
        FeatureFactorization.of(reference.layers().get(0), reference.inputShape(), 4, 0);
    double sum = found.concepts().stream().mapToDouble(Concept::share).sum();
    // At a least-squares fit <W H, X - W H> = 0, hence |X|² = |W H|² + |X - W H|².
    assertThat(sum).isCloseTo(1 - found.error() * found.error(), within(1e-2));
    assertThat(sum + found.unexplained()).isCloseTo(1, within(1e-9));
    assertThat(found.concepts())
        .isSortedAccordingTo((a, b) -> Double.compare(b.share(), a.share()));
  }
}
