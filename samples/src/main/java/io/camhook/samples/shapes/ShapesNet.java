package io.camhook.samples.shapes;

import ai.djl.MalformedModelException;
import ai.djl.Model;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.Blocks;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.convolutional.Conv2d;
import ai.djl.nn.core.Linear;
import ai.djl.nn.norm.BatchNorm;
import ai.djl.nn.pooling.Pool;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * The network: convolutions down to {@code [N, 64, 12, 12]}, smoothing, global average pooling, one
 * linear layer. The smoothing hardly changes the averages, but it moves the evidence for a class
 * from the object's corners to its middle. Input is {@code [N, 3, 96, 96]} with values in −1..1,
 * output is one logit per class.
 */
public final class ShapesNet {
  /** Name of the model, and of its parameter file. */
  public static final String NAME = "shapes";

  private ShapesNet() {}

  /** The network without weights. */
  public static SequentialBlock block(int classes) {
    return new SequentialBlock()
        .add(convolution(16, 5, 2))
        .add(convolution(32, 3, 1))
        .add(Pool.maxPool2dBlock(new Shape(2, 2), new Shape(2, 2)))
        .add(convolution(48, 3, 1))
        .add(Pool.maxPool2dBlock(new Shape(2, 2), new Shape(2, 2)))
        .add(convolution(64, 3, 1))
        .add(convolution(64, 3, 1))
        .add(Pool.avgPool2dBlock(new Shape(3, 3), new Shape(1, 1), new Shape(1, 1)))
        .add(Pool.globalAvgPool2dBlock())
        .add(Blocks.batchFlattenBlock())
        .add(Linear.builder().setUnits(classes).build());
  }

  private static SequentialBlock convolution(int filters, int kernel, int stride) {
    return new SequentialBlock()
        .add(
            Conv2d.builder()
                .setKernelShape(new Shape(kernel, kernel))
                .optPadding(new Shape(kernel / 2, kernel / 2))
                .optStride(new Shape(stride, stride))
                .setFilters(filters)
                .optBias(false)
                .build())
        .add(BatchNorm.builder().build())
        .add(Activation.reluBlock());
  }

  /** The trained model; the caller closes it. */
  public static Model load() throws IOException, MalformedModelException {
    Model model = Model.newInstance(NAME);
    model.setBlock(block(classNames().size()));
    try (InputStream weights = resource(NAME + "-0000.params")) {
      model.load(weights);
    }
    return model;
  }

  /** The class names in the order of the logits. */
  public static List<String> classNames() {
    try (BufferedReader lines =
        new BufferedReader(new InputStreamReader(resource("synset.txt"), StandardCharsets.UTF_8))) {
      return lines.lines().toList();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read synset.txt beside " + ShapesNet.class, e);
    }
  }

  private static InputStream resource(String name) throws IOException {
    InputStream in = ShapesNet.class.getResourceAsStream(name);
    if (in == null) {
      throw new IOException("no resource " + name + " beside " + ShapesNet.class.getName());
    }
    return in;
  }
}
