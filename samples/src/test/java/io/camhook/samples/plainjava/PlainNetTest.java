package io.camhook.samples.plainjava;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Model;
import ai.djl.inference.Predictor;
import ai.djl.modality.cv.Image;
import ai.djl.modality.cv.ImageFactory;
import ai.djl.ndarray.NDList;
import ai.djl.translate.Batchifier;
import ai.djl.translate.Translator;
import ai.djl.translate.TranslatorContext;
import io.camhook.samples.pictures.DrawnPicture;
import io.camhook.samples.pictures.PictureGenerator;
import io.camhook.samples.shapes.ShapesNet;
import io.camhook.samples.shapes.ShapesTranslator;
import org.junit.jupiter.api.Test;

class PlainNetTest {
  /** Not a seed of the training. */
  private static final PictureGenerator UNSEEN = new PictureGenerator(4711);

  private static final int PICTURES = 300;

  @Test
  void committed_weights_should_name_the_objects_of_unseen_pictures() throws Exception {
    PlainNet net = PlainNet.load();
    int correct = 0;
    for (int i = 0; i < PICTURES; i++) {
      DrawnPicture picture = UNSEEN.picture(i);
      int named = PlainNet.best(net.forward(PlainNet.planes(picture)));
      correct += named == picture.objects().get(0).shape().ordinal() ? 1 : 0;
    }
    assertThat(correct / (double) PICTURES).isGreaterThanOrEqualTo(0.97);
  }

  /**
   * The same network with DJL, whose batch norms are still there. Logits are of order 10; folding
   * and another order of sums of up to 576 products move them by some 1e-5 of that.
   */
  @Test
  void logits_should_be_those_of_the_network_in_djl() throws Exception {
    PlainNet net = PlainNet.load();
    try (Model model = ShapesNet.load();
        Predictor<Image, float[]> djl = model.newPredictor(new Logits())) {
      for (int i = 0; i < 10; i++) {
        DrawnPicture picture = UNSEEN.picture(i);
        float[] expected = djl.predict(ImageFactory.getInstance().fromImage(picture.toImage()));
        assertThat(net.forward(PlainNet.planes(picture))).containsExactly(expected, within(1e-3f));
      }
    }
  }

  private static final class Logits implements Translator<Image, float[]> {
    @Override
    public NDList processInput(TranslatorContext context, Image picture) {
      return new NDList(
          ShapesTranslator.normalise(picture.toNDArray(context.getNDManager(), Image.Flag.COLOR)));
    }

    @Override
    public float[] processOutput(TranslatorContext context, NDList list) {
      return list.head().toFloatArray();
    }

    @Override
    public Batchifier getBatchifier() {
      return Batchifier.STACK;
    }
  }
}
