package io.camhook.samples.plainjava;

import io.camhook.samples.pictures.DrawnPicture;
import io.camhook.samples.pictures.PictureGenerator;
import io.camhook.samples.pictures.ShapeClass;
import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * The network: five convolutions, smoothing, global average pooling, one linear layer. Like its
 * layers it serves one thread. It is the demo's {@code ShapesNet} written by hand, with the same
 * weights.
 */
public final class PlainNet {
  /** The trained weights, beside this class. */
  static final String WEIGHTS = "plain.weights";

  private final List<Layer> layers = new ArrayList<>();

  /**
   * @param side width and height of the pictures, a multiple of 8
   */
  PlainNet(int side, SplittableRandom random) {
    int[] shape = add(new ScaleLayer(new int[] {3, side, side}));
    shape = convolution(shape, random, 16, 5, 2);
    shape = convolution(shape, random, 32, 3, 1);
    shape = add(new MaxPoolLayer(shape));
    shape = convolution(shape, random, 48, 3, 1);
    shape = add(new MaxPoolLayer(shape));
    shape = convolution(shape, random, 64, 3, 1);
    shape = convolution(shape, random, 64, 3, 1);
    shape = add(new SmoothLayer(shape));
    shape = add(new GapLayer(shape));
    add(new LinearLayer(shape[0], ShapeClass.values().length).initialise(random));
  }

  /** The trained network for whole pictures. */
  public static PlainNet load() throws IOException {
    PlainNet net = new PlainNet(PictureGenerator.SIZE, new SplittableRandom(0));
    try (InputStream in = PlainNet.class.getResourceAsStream(WEIGHTS)) {
      if (in == null) {
        throw new FileNotFoundException("no resource " + WEIGHTS + " beside " + PlainNet.class);
      }
      DataInputStream floats = new DataInputStream(new BufferedInputStream(in));
      for (Parameter parameter : net.parameters()) {
        for (int i = 0; i < parameter.value.length; i++) {
          parameter.value[i] = floats.readFloat();
        }
      }
    }
    return net;
  }

  private int[] convolution(
      int[] shape, SplittableRandom random, int channels, int kernel, int stride) {
    int[] out = add(new ConvLayer(shape, channels, kernel, stride).initialise(random));
    return add(new ReluLayer(out));
  }

  private int[] add(Layer layer) {
    layers.add(layer);
    return layer.outputShape();
  }

  /**
   * @param picture {@code [3][height][width]}, 0..255
   * @return one logit per class
   */
  public float[] forward(float[][][] picture) {
    float[] x = flat(picture);
    for (Layer layer : layers) {
      x = layer.forward(x);
    }
    return x;
  }

  /**
   * @param logitGradient derivative of the loss by every logit of the latest {@link #forward}
   * @return derivative of the loss by every component of the picture, {@code [3][height][width]}
   */
  public float[][][] backward(float[] logitGradient) {
    float[] g = logitGradient;
    for (int i = layers.size() - 1; i >= 0; i--) {
      g = layers.get(i).backward(g);
    }
    return nested(g, layers.get(0).outputShape());
  }

  List<Layer> layers() {
    return layers;
  }

  List<Parameter> parameters() {
    return layers.stream().flatMap(layer -> layer.parameters().stream()).toList();
  }

  /** The picture in the form for {@link #forward}. */
  public static float[][][] planes(DrawnPicture picture) {
    float[][][] planes = new float[3][picture.height()][picture.width()];
    for (int i = 0; i < picture.rgb().length; i++) {
      int pixel = i / 3;
      planes[i % 3][pixel / picture.width()][pixel % picture.width()] = picture.rgb()[i] & 0xff;
    }
    return planes;
  }

  private static float[] flat(float[][][] planes) {
    int height = planes[0].length;
    int width = planes[0][0].length;
    float[] flat = new float[planes.length * height * width];
    for (int row = 0; row < planes.length * height; row++) {
      System.arraycopy(planes[row / height][row % height], 0, flat, row * width, width);
    }
    return flat;
  }

  private static float[][][] nested(float[] flat, int[] shape) {
    float[][][] planes = new float[shape[0]][shape[1]][shape[2]];
    for (int row = 0; row < shape[0] * shape[1]; row++) {
      System.arraycopy(flat, row * shape[2], planes[row / shape[1]][row % shape[1]], 0, shape[2]);
    }
    return planes;
  }

  /** Index of the largest logit. */
  public static int best(float[] logits) {
    int best = 0;
    for (int i = 1; i < logits.length; i++) {
      best = logits[i] > logits[best] ? i : best;
    }
    return best;
  }

  /** Probabilities. */
  public static float[] softmax(float[] logits) {
    float max = logits[best(logits)];
    float[] p = new float[logits.length];
    float sum = 0;
    for (int i = 0; i < p.length; i++) {
      p[i] = (float) Math.exp(logits[i] - max);
      sum += p[i];
    }
    for (int i = 0; i < p.length; i++) {
      p[i] /= sum;
    }
    return p;
  }
}
