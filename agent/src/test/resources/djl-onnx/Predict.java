import ai.djl.inference.Predictor;
import ai.djl.modality.cv.Image;
import ai.djl.modality.cv.ImageFactory;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.repository.zoo.Criteria;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.translate.NoBatchifyTranslator;
import ai.djl.translate.TranslatorContext;
import java.awt.image.BufferedImage;
import java.nio.file.Path;
import java.util.Arrays;

/** A DJL program whose engine is OnnxRuntime, as its documentation shows it. */
public class Predict {
  public static void main(String[] arguments) throws Exception {
    Criteria<Image, float[]> criteria =
        Criteria.builder()
            .setTypes(Image.class, float[].class)
            .optModelPath(Path.of(arguments[0]))
            .optEngine("OnnxRuntime")
            .optTranslator(new Brightness())
            .build();
    BufferedImage picture = new BufferedImage(2, 2, BufferedImage.TYPE_INT_RGB);
    picture.setRGB(1, 0, 0xff8040);
    try (ZooModel<Image, float[]> model = criteria.loadModel();
        Predictor<Image, float[]> predictor = model.newPredictor()) {
      System.out.println(
          Arrays.toString(predictor.predict(ImageFactory.getInstance().fromImage(picture))));
    }
  }

  /** Red and green of a picture of two by two. */
  static final class Brightness implements NoBatchifyTranslator<Image, float[]> {
    @Override
    public NDList processInput(TranslatorContext context, Image input) {
      BufferedImage picture = (BufferedImage) input.getWrappedImage();
      float[] values = new float[8];
      for (int i = 0; i < 4; i++) {
        int rgb = picture.getRGB(i % 2, i / 2);
        values[i] = (rgb >> 16 & 255) / 255f;
        values[4 + i] = (rgb >> 8 & 255) / 255f;
      }
      return new NDList(context.getNDManager().create(values, new Shape(1, 2, 2, 2)));
    }

    @Override
    public float[] processOutput(TranslatorContext context, NDList list) {
      return list.head().toFloatArray();
    }
  }
}
