package io.camhook.samples.shapes;

import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.nn.Block;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.core.Linear;
import ai.djl.training.ParameterStore;
import ai.djl.training.dataset.Batch;
import ai.djl.translate.TranslateException;
import io.camhook.samples.pictures.PictureGenerator;
import io.camhook.samples.pictures.PictureObject;
import java.io.IOException;
import java.util.List;

/**
 * How good a model is on unseen pictures.
 *
 * @param pictures how many
 * @param correct how many were classified correctly
 * @param pointed for how many the class activation map of the predicted class has its maximum
 *     inside the object (Zhang et al. 2016, "Top-down Neural Attention by Excitation Backprop": the
 *     pointing game)
 */
record ShapesEvaluation(int pictures, int correct, int pointed) {
  private static final int BATCH = 50;

  /** Evaluates on the first pictures of the given seed; {@code pictures} is a multiple of 50. */
  static ShapesEvaluation of(Model model, long seed, int pictures)
      throws IOException, TranslateException {
    Split net = Split.of(model.getBlock());
    PictureGenerator generator = new PictureGenerator(seed);
    PictureDataset dataset = new PictureDataset(seed, pictures, BATCH, PictureGenerator.SIZE);
    int index = 0;
    int correct = 0;
    int pointed = 0;
    for (Batch batch : dataset.getData(model.getNDManager())) {
      try (batch) {
        ParameterStore parameters = new ParameterStore(batch.getManager(), false);
        NDList features = net.features.forward(parameters, batch.getData(), false);
        NDList logits = net.head.forward(parameters, features, false);
        long[] predicted = logits.head().argMax(1).toLongArray();
        for (int i = 0; i < predicted.length; i++) {
          PictureObject truth = generator.picture(index++).objects().get(0);
          NDArray map = net.map(features.head().get(i), predicted[i]);
          correct += predicted[i] == truth.shape().ordinal() ? 1 : 0;
          int height = (int) map.getShape().get(0);
          int width = (int) map.getShape().get(1);
          pointed += Pointing.atMaximum(map.toFloatArray(), width, height, truth.mask()) ? 1 : 0;
        }
      }
    }
    return new ShapesEvaluation(pictures, correct, pointed);
  }

  /** The network cut between the last feature maps and the pooling over them. */
  private record Split(SequentialBlock features, SequentialBlock head, NDArray classWeights) {
    static final int HEAD = 3;

    static Split of(Block block) {
      List<Block> children = block.getChildren().values();
      int cut = children.size() - HEAD;
      SequentialBlock features = new SequentialBlock();
      features.addAll(children.subList(0, cut));
      SequentialBlock head = new SequentialBlock();
      head.addAll(children.subList(cut, children.size()));
      Linear linear = (Linear) children.get(children.size() - 1);
      return new Split(features, head, linear.getParameters().get("weight").getArray());
    }

    /** {@code Σ_k w[class][k] A[k]}, the class activation map (Zhou et al. 2016). */
    NDArray map(NDArray activation, long classIndex) {
      return classWeights.get(classIndex).reshape(-1, 1, 1).mul(activation).sum(new int[] {0});
    }
  }

  double accuracy() {
    return correct / (double) pictures;
  }

  double pointingGame() {
    return pointed / (double) pictures;
  }

  @Override
  public String toString() {
    return "%d unseen pictures: accuracy %.2f %%, pointing game of CAM %.2f %%"
        .formatted(pictures, 100 * accuracy(), 100 * pointingGame());
  }
}
