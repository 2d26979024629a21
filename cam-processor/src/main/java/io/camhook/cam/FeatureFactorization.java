package io.camhook.cam;

import io.camhook.recording.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Deep feature factorization: decomposes what a layer sees into a few concepts, independent of any
 * target. The activation of a batch, minus the smallest value of each channel, is a matrix {@code
 * X} of channels by positions. In its non-negative factorization {@code X ≈ W H} each column of W
 * is a concept (a direction in channel space), and the matching row of H shows where the concept is
 * in the pictures. All samples of a batch share the concepts, so that concepts show what the
 * pictures have in common.
 *
 * <p>Collins, Achanta and Süsstrunk, "Deep Feature Factorization for Concept Discovery", ECCV 2018.
 * Follows pytorch-grad-cam, including the offset per channel (the paper uses a layer after a ReLU,
 * where the offset is mostly 0), except where a factorization is not unique: the largest value of
 * every map is 1, so that the concept's vector is what the layer returns where the concept is
 * strongest; concepts are in descending order of their share. The start is random with the given
 * seed, so no other program gives exactly the same numbers. Immutable by convention: arrays are not
 * copied and must not be written.
 *
 * @param path module path of the layer
 * @param concepts in descending order of their share
 * @param error {@code |X - W H| / |X|} in the Frobenius norm: the part that no concept explains
 */
public record FeatureFactorization(String path, List<Concept> concepts, double error) {

  /**
   * One concept.
   *
   * @param vector {@code [C]}: what the layer returns where the concept is strongest
   * @param share {@code <w h, X> / |X|²} of its part w h: at a least-squares fit the shares add up
   *     to {@code 1 - error²}
   * @param maps where it is in each sample, 0..1, in the layer's spatial shape
   */
  public record Concept(float[] vector, double share, List<FloatMap> maps) {

    public Concept {
      maps = List.copyOf(maps);
    }
  }

  public FeatureFactorization {
    concepts = List.copyOf(concepts);
  }

  /**
   * Finds the concepts of a layer.
   *
   * @param layer its activation; all samples of the batch are factorized together
   * @param inputShape shape of the model's input with the batch first; empty if unknown
   * @param concepts how many; at least 1, at most the number of channels and of positions
   * @param seed of the random start
   * @throws CamException if the layer has no spatial extent, holds NaN or infinite values, or has
   *     too few channels or positions
   */
  public static FeatureFactorization of(
      LayerTensors layer, long[] inputShape, int concepts, long seed) {
    List<LayerSample> samples = new ArrayList<>();
    for (int n = 0; n < layer.samples(); n++) {
      samples.add(layer.sample(n, inputShape));
    }
    int channels = samples.get(0).channels();
    int positions = samples.get(0).positions();
    int most = Math.min(channels, positions * samples.size());
    if (concepts < 1 || concepts > most) {
      throw new CamException(
          "layer %s of %d channels and %d positions has 1 to %d concepts, found %d"
              .formatted(layer.path(), channels, positions * samples.size(), most, concepts));
    }
    float[] x = joined(samples, channels, positions);
    float[] offset = takeSmallestOff(x, channels);
    NonNegativeFactors factors = NonNegativeFactors.of(x, channels, concepts, seed);
    List<Concept> found = new ArrayList<>();
    double energy = Math.max(Double.MIN_NORMAL, energy(x));
    for (int k = 0; k < concepts; k++) {
      found.add(concept(factors, k, offset, samples, inner(factors, k, x, channels) / energy));
    }
    found.sort(Comparator.comparingDouble(concept -> -concept.share()));
    return new FeatureFactorization(layer.path(), found, factors.error());
  }

  /** {@code [C, N P]}: the samples side by side. */
  private static float[] joined(List<LayerSample> samples, int channels, int positions) {
    int columns = samples.size() * positions;
    float[] x = new float[Math.multiplyExact(channels, columns)];
    for (int n = 0; n < samples.size(); n++) {
      for (int k = 0; k < channels; k++) {
        System.arraycopy(
            samples.get(n).activation(), k * positions, x, k * columns + n * positions, positions);
      }
    }
    return x;
  }

  private static float[] takeSmallestOff(float[] x, int channels) {
    float[] offset = new float[channels];
    int columns = x.length / channels;
    for (int k = 0; k < channels; k++) {
      float smallest = Float.POSITIVE_INFINITY;
      for (int i = k * columns; i < (k + 1) * columns; i++) {
        smallest = Math.min(smallest, x[i]);
      }
      for (int i = k * columns; i < (k + 1) * columns; i++) {
        x[i] -= smallest;
      }
      offset[k] = smallest;
    }
    return offset;
  }

  private static double energy(float[] values) {
    double sum = 0;
    for (float v : values) {
      sum += (double) v * v;
    }
    return sum;
  }

  /** {@code <w_k h_k, X>}. */
  private static double inner(NonNegativeFactors factors, int k, float[] x, int channels) {
    int columns = x.length / channels;
    double sum = 0;
    for (int c = 0; c < channels; c++) {
      double row = 0;
      for (int p = 0; p < columns; p++) {
        row += factors.right()[k * columns + p] * x[c * columns + p];
      }
      sum += factors.left()[k * channels + c] * row;
    }
    return sum;
  }

  /** The part of the activation that no concept explains, 0..1: 1 minus the sum of the shares. */
  public double unexplained() {
    double rest = 1;
    for (Concept concept : concepts) {
      rest -= concept.share();
    }
    return Math.max(0, rest);
  }

  private static Concept concept(
      NonNegativeFactors factors, int k, float[] offset, List<LayerSample> samples, double share) {
    int channels = offset.length;
    int positions = samples.get(0).positions();
    int columns = positions * samples.size();
    double[] row = Arrays.copyOfRange(factors.right(), k * columns, (k + 1) * columns);
    double largest = Arrays.stream(row).max().orElse(0);
    float[] vector = new float[channels];
    for (int c = 0; c < channels; c++) {
      double value = factors.left()[k * channels + c] * largest;
      vector[c] = (float) (value + offset[c]);
    }
    List<FloatMap> maps = new ArrayList<>();
    for (int n = 0; n < samples.size(); n++) {
      float[] map = new float[positions];
      for (int p = 0; p < positions; p++) {
        double value = largest > 0 ? row[n * positions + p] / largest : 0;
        map[p] = (float) value;
      }
      maps.add(FloatMap.of(map, samples.get(n).spatial()));
    }
    return new Concept(vector, share, maps);
  }

  /**
   * The concepts' heatmaps for one sample: its map scaled to 0..1 and resized, as for any method.
   *
   * @param size spatial size of the heatmaps
   */
  public List<FloatMap> heatmaps(int sample, int[] size) {
    return concepts.stream()
        .map(c -> Heatmaps.resize(c.maps().get(sample).scaled(Heatmaps.EPSILON), size))
        .toList();
  }

  /**
   * Applies the linear classifier that follows a global average pooling of the layer to the
   * concepts: gives the logits of a picture that shows one concept everywhere.
   *
   * @param weight {@code [classes, C]}
   * @param bias {@code [classes]}, or null
   * @return per concept {@code [classes]}
   * @throws CamException if the classifier expects another number of channels
   */
  public List<float[]> outputs(Tensor weight, @Nullable Tensor bias) {
    int channels = concepts.get(0).vector().length;
    if (weight.rank() != 2 || weight.size(1) != channels) {
      throw new CamException(
          "layer %s has %d channels, which a classifier of shape %s does not take; choose the last layer with spatial extent"
              .formatted(path, channels, Arrays.toString(weight.shape())));
    }
    float[] matrix = weight.toFloats();
    float[] added = bias == null ? new float[(int) weight.size(0)] : bias.toFloats();
    List<float[]> outputs = new ArrayList<>();
    for (Concept concept : concepts) {
      float[] logits = new float[added.length];
      for (int i = 0; i < logits.length; i++) {
        double sum = added[i];
        for (int c = 0; c < channels; c++) {
          sum += (double) matrix[i * channels + c] * concept.vector()[c];
        }
        logits[i] = (float) sum;
      }
      outputs.add(logits);
    }
    return outputs;
  }

  /**
   * What the layer would return if a picture showed one concept everywhere: the batch {@code
   * [concepts, …]} in the layer's own layout, from which the model can be resumed.
   *
   * @param layer the layer that was factorized
   */
  public Tensor everywhere(LayerTensors layer, long[] inputShape) {
    long[] shape = layer.activation().shape();
    boolean first = layer.layoutFor(inputShape).kind() == Layout.Kind.CHANNELS_FIRST;
    int size = Math.toIntExact(layer.activation().elements() / shape[0]);
    float[] values = new float[Math.multiplyExact(size, concepts.size())];
    for (int k = 0; k < concepts.size(); k++) {
      float[] vector = concepts.get(k).vector();
      int positions = size / vector.length;
      for (int i = 0; i < size; i++) {
        values[k * size + i] = vector[first ? i / positions : i % vector.length];
      }
    }
    shape[0] = concepts.size();
    return Tensor.ofFloats(values, shape);
  }
}
