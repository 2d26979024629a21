package io.camhook.cam.metrics;

import io.camhook.cam.FloatMap;
import java.util.ArrayList;
import java.util.List;

/**
 * The sanity check by cascading randomisation: weights are replaced by random ones from the output
 * back to the input, layer by layer, and the heatmap of each such model is compared with that of
 * the trained model. A method whose heatmaps stay similar does not show what the model has learned.
 *
 * <p>Adebayo et al., "Sanity Checks for Saliency Maps", NeurIPS 2018; the similarity is Spearman's
 * rank correlation.
 *
 * @param curve one entry per layer, from the output on
 */
public record SanityCheck(List<Entry> curve) {

  /**
   * The similarity of the heatmap when a layer and all layers after it are random.
   *
   * @param layer module path of the layer randomised last
   * @param similarity Spearman's rank correlation with the heatmap of the trained model
   */
  public record Entry(String layer, double similarity) {}

  /** A model whose weights can be replaced, and the explanation under test. */
  public interface Subject {

    /** Module paths of the layers with weights, from the output to the input. */
    List<String> layersFromOutput();

    /** Replaces the weights of one more layer by random ones. */
    void randomize(String layer, long seed);

    /** The heatmap of the model in its current state. */
    FloatMap heatmap();

    /** Puts the trained weights back. */
    void restore();
  }

  public SanityCheck {
    curve = List.copyOf(curve);
  }

  /** Runs the check; the subject's weights are restored in every case. */
  public static SanityCheck of(Subject subject, long seed) {
    FloatMap trained = subject.heatmap();
    List<Entry> curve = new ArrayList<>();
    try {
      for (String layer : subject.layersFromOutput()) {
        subject.randomize(layer, seed + curve.size());
        curve.add(new Entry(layer, MapSimilarity.rankCorrelation(trained, subject.heatmap())));
      }
    } finally {
      subject.restore();
    }
    return new SanityCheck(curve);
  }
}
