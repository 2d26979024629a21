package io.camhook.agent.weave;

import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.Block;
import ai.djl.nn.Blocks;
import ai.djl.nn.LambdaBlock;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.convolutional.Conv2d;
import ai.djl.nn.core.Linear;
import ai.djl.nn.pooling.Pool;
import ai.djl.translate.Batchifier;
import ai.djl.translate.NoopTranslator;

/** Small models for tests. */
final class Nets {
  private Nets() {}

  /** conv 1→4, relu, conv 4→3, relu, global average pool, linear 3→5; seeded. */
  static Model cnn(String name) {
    SequentialBlock features =
        new SequentialBlock()
            .add(conv(4))
            .add(Activation.reluBlock())
            .add(conv(3))
            .add(Activation.reluBlock());
    SequentialBlock net =
        new SequentialBlock()
            .add(features)
            .add(Pool.globalAvgPool2dBlock())
            .add(Blocks.batchFlattenBlock())
            .add(Linear.builder().setUnits(5).build());
    return model(name, net, new Shape(1, 1, 8, 8));
  }

  /** conv, ReLU, conv, ReLU: a map of three classes. */
  static Model segmentation(String name) {
    SequentialBlock net =
        new SequentialBlock()
            .add(conv(4))
            .add(Activation.reluBlock())
            .add(conv(3))
            .add(Activation.reluBlock());
    return model(name, net, new Shape(1, 1, 8, 8));
  }

  /**
   * linear 64→16, relu, linear 16→8, relu, linear 8→5; seeded. For comparisons of bits: some of the
   * engine's convolutions differ from run to run.
   */
  static Model mlp(String name) {
    SequentialBlock net =
        new SequentialBlock()
            .add(Linear.builder().setUnits(16).build())
            .add(Activation.reluBlock())
            .add(Linear.builder().setUnits(8).build())
            .add(Activation.reluBlock())
            .add(Linear.builder().setUnits(5).build());
    return model(name, net, new Shape(1, 64));
  }

  static Model model(String name, Block block, Shape... shapes) {
    Model model = Model.newInstance(name, "PyTorch");
    model.getNDManager().getEngine().setRandomSeed(7);
    block.initialize(model.getNDManager(), DataType.FLOAT32, shapes);
    model.setBlock(block);
    return model;
  }

  private static Conv2d conv(int filters) {
    return Conv2d.builder()
        .setFilters(filters)
        .setKernelShape(new Shape(3, 3))
        .optPadding(new Shape(1, 1))
        .build();
  }

  /** Values that are neither symmetric nor all of one sign. */
  static NDArray input(NDManager manager, long... shape) {
    Shape s = new Shape(shape);
    float[] values = new float[(int) s.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) Math.sin(i * 1.7 + 0.3);
    }
    return manager.create(values, s);
  }

  /**
   * {@code x · factor}. {@code x.mul(factor)} is not for graphs: it closes the array that it makes
   * of the number, so that the collector frees the memory which autograd reads in the backward.
   */
  static NDArray times(NDArray x, float factor) {
    return x.mul(x.getManager().create(factor));
  }

  /** A block that returns 2 · x. */
  static Block twice() {
    return new LambdaBlock(list -> new NDList(times(list.head(), 2)), "twice");
  }

  static NoopTranslator unbatched() {
    return new NoopTranslator(null);
  }

  static NoopTranslator stacked() {
    return new NoopTranslator(Batchifier.STACK);
  }

  static byte[] bytes(NDList list) {
    return list.encode();
  }
}
