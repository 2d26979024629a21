package io.camhook.samples.lecture;

import ai.djl.MalformedModelException;
import ai.djl.Model;
import ai.djl.inference.Predictor;
import ai.djl.modality.Classifications;
import ai.djl.modality.cv.Image;
import ai.djl.modality.cv.ImageFactory;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.translate.TranslateException;
import io.camhook.HookHandle;
import io.camhook.Hooks;
import io.camhook.samples.shapes.ShapesNet;
import io.camhook.samples.shapes.ShapesTranslator;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicReference;
import javax.imageio.ImageIO;
import org.jspecify.annotations.Nullable;

/**
 * Every channel of a layer as a picture: {@code FeatureMaps PICTURE LAYER OUTPUT.png} predicts the
 * picture and writes the layer's feature maps side by side in a grid, each from its smallest value
 * (black) to its largest (white). {@code 01SequentialBlock} is the first convolution.
 */
public final class FeatureMaps {
  private static final int GAP = 2;

  private FeatureMaps() {}

  @SuppressWarnings("try") // a hook lives as long as its block of code
  public static void main(String[] args)
      throws IOException, MalformedModelException, TranslateException {
    if (args.length != 3) {
      System.err.println("usage: FeatureMaps PICTURE LAYER OUTPUT.png");
      System.exit(2);
    }
    AtomicReference<BufferedImage> grid = new AtomicReference<>();
    try (Model model = ShapesNet.load();
        Predictor<Image, Classifications> predictor =
            model.newPredictor(new ShapesTranslator(ShapesNet.classNames()));
        HookHandle hook =
            Hooks.registerForwardHook(
                model.getBlock(),
                args[1],
                (Block module, String path, NDList inputs, @Nullable NDList outputs) -> {
                  if (outputs != null) {
                    System.out.println(path + " gives " + outputs.head().getShape());
                    grid.set(grid(outputs.head().get(0)));
                  }
                  return null;
                })) {
      Image picture = ImageFactory.getInstance().fromFile(Path.of(args[0]));
      System.out.println(predictor.predict(picture).best());
    }
    ImageIO.write(grid.get(), "png", Path.of(args[2]).toFile());
    System.out.println("written " + args[2]);
  }

  /** One tile per channel, eight in a row. */
  private static BufferedImage grid(NDArray maps) {
    Shape shape = maps.getShape();
    int channels = (int) shape.get(0);
    int height = (int) shape.get(1);
    int width = (int) shape.get(2);
    int columns = Math.min(8, channels);
    int rows = (channels + columns - 1) / columns;
    BufferedImage grid =
        new BufferedImage(
            columns * (width + GAP) - GAP,
            rows * (height + GAP) - GAP,
            BufferedImage.TYPE_BYTE_GRAY);
    for (int c = 0; c < channels; c++) {
      float[] values = maps.get(c).toFloatArray();
      float min = maps.get(c).min().getFloat();
      float range = Math.max(maps.get(c).max().getFloat() - min, Float.MIN_NORMAL);
      for (int i = 0; i < values.length; i++) {
        int x = c % columns * (width + GAP) + i % width;
        int y = c / columns * (height + GAP) + i / width;
        grid.getRaster().setSample(x, y, 0, Math.round(255 * (values[i] - min) / range));
      }
    }
    return grid;
  }
}
