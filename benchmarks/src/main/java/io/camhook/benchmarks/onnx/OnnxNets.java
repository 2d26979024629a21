package io.camhook.benchmarks.onnx;

import static io.camhook.benchmarks.onnx.OnnxWriter.integers;

import java.util.List;

/**
 * ResNet-18 (He et al., 2016) and MobileNetV2 (Sandler et al., 2018) for 224², as torchvision's.
 */
public final class OnnxNets {
  private static final String INPUT = "input";
  private static final int CLASSES = 1000;

  private OnnxNets() {}

  /** 45 MB. */
  public static byte[] resnet18() {
    OnnxWriter net = new OnnxWriter();
    String x = net.convolution("conv1", INPUT, 3, 64, 7, 2, 1);
    x = net.node("Relu", "relu", List.of(x));
    x =
        net.node(
            "MaxPool",
            "maxpool",
            List.of(x),
            integers("kernel_shape", 3, 3),
            integers("strides", 2, 2),
            integers("pads", 1, 1, 1, 1));
    int channels = 64;
    for (int layer = 1; layer <= 4; layer++) {
      int out = 32 << layer;
      for (int block = 0; block < 2; block++) {
        int stride = layer > 1 && block == 0 ? 2 : 1;
        x = basicBlock(net, "layer%d.%d".formatted(layer, block), x, channels, out, stride);
        channels = out;
      }
    }
    return classifier(net, "resnet18", x, channels, "fc");
  }

  private static String basicBlock(
      OnnxWriter net, String path, String input, int in, int out, int stride) {
    String x = net.convolution(path + ".conv1", input, in, out, 3, stride, 1);
    x = net.node("Relu", path + ".relu", List.of(x));
    x = net.convolution(path + ".conv2", x, out, out, 3, 1, 1);
    String around =
        stride == 1 && in == out
            ? input
            : net.convolution(path + ".downsample", input, in, out, 1, stride, 1);
    x = net.node("Add", path, List.of(x, around));
    return net.node("Relu", path + ".relu_1", List.of(x));
  }

  /** 14 MB. */
  public static byte[] mobilenetV2() {
    OnnxWriter net = new OnnxWriter();
    String x = relu6(net, "features.0", net.convolution("features.0", INPUT, 3, 32, 3, 2, 1));
    int channels = 32;
    int index = 1;
    int[][] stages = { // expansion, channels, blocks, stride of the first
      {1, 16, 1, 1},
      {6, 24, 2, 2},
      {6, 32, 3, 2},
      {6, 64, 4, 2},
      {6, 96, 3, 1},
      {6, 160, 3, 2},
      {6, 320, 1, 1}
    };
    for (int[] stage : stages) {
      for (int block = 0; block < stage[2]; block++) {
        int stride = block == 0 ? stage[3] : 1;
        x = inverted(net, "features." + index++, x, channels, stage[1], stride, stage[0]);
        channels = stage[1];
      }
    }
    String last = "features." + index;
    x = relu6(net, last, net.convolution(last, x, channels, 1280, 1, 1, 1));
    return classifier(net, "mobilenet_v2", x, 1280, "classifier");
  }

  private static String inverted(
      OnnxWriter net, String path, String input, int in, int out, int stride, int expansion) {
    int hidden = in * expansion;
    String x = input;
    if (expansion > 1) {
      x = relu6(net, path + ".0", net.convolution(path + ".0", x, in, hidden, 1, 1, 1));
    }
    x = relu6(net, path + ".1", net.convolution(path + ".1", x, hidden, hidden, 3, stride, hidden));
    x = net.convolution(path + ".2", x, hidden, out, 1, 1, 1);
    return stride == 1 && in == out ? net.node("Add", path, List.of(x, input)) : x;
  }

  private static String relu6(OnnxWriter net, String path, String x) {
    return net.node("Clip", path, List.of(x, net.scalar(0), net.scalar(6)));
  }

  private static byte[] classifier(
      OnnxWriter net, String name, String x, int channels, String path) {
    String pooled = net.node("GlobalAveragePool", "avgpool", List.of(x));
    String flat = net.node("Flatten", "flatten", List.of(pooled));
    String scores = net.linear(path, flat, channels, CLASSES);
    return net.model(name, INPUT, scores, CLASSES);
  }
}
