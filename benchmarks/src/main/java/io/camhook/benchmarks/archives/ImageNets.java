package io.camhook.benchmarks.archives;

import static io.camhook.benchmarks.archives.ScriptModule.call;

import java.io.IOException;
import java.nio.file.Path;

/**
 * ImageNet classifiers of 1000 classes for inputs {@code [N,3,224,224]}, layer by layer as in
 * torchvision (which names the papers): the same operators, shapes and module paths, random
 * weights.
 */
public enum ImageNets {
  /** 11.7 million parameters; {@code layer4} returns {@code [N,512,7,7]}. */
  RESNET18("layer4") {
    @Override
    ScriptModule build() {
      return resnet(false, 2, 2, 2, 2);
    }
  },
  /** 25.6 million parameters, 102 MB; {@code layer4} returns {@code [N,2048,7,7]}. */
  RESNET50("layer4") {
    @Override
    ScriptModule build() {
      return resnet(true, 3, 4, 6, 3);
    }
  },
  /** 3.5 million parameters; {@code features.18} returns {@code [N,1280,7,7]}. */
  MOBILENET_V2("features.18") {
    @Override
    ScriptModule build() {
      return mobileNetV2();
    }
  },
  /** SqueezeNet 1.1, 1.2 million parameters; {@code features.12} returns {@code [N,512,13,13]}. */
  SQUEEZENET("features.12") {
    @Override
    ScriptModule build() {
      return squeezeNet();
    }
  },
  /**
   * 86 million parameters; the {@code ln_1} of the last block returns {@code [N,197,768]}.
   * Attention is {@code scaled_dot_product_attention}.
   */
  VIT_B_16("encoder.layers.encoder_layer_11.ln_1") {
    @Override
    ScriptModule build() {
      return vit();
    }
  };

  private final String layer;

  ImageNets(String layer) {
    this.layer = layer;
  }

  /** The usual layer for Grad-CAM. */
  public String layer() {
    return layer;
  }

  abstract ScriptModule build();

  /** Writes the archive, the same bytes every time. */
  public Path write(Path folder) throws IOException {
    return ArchiveWriter.write(build(), name().toLowerCase(java.util.Locale.ROOT), folder);
  }

  private static ScriptModule resnet(boolean bottleneck, int... blocks) {
    ScriptModule root =
        new ScriptModule("torchvision.models.resnet.ResNet")
            .child("conv1", conv(3, 64, 7, 2, 3, 1))
            .child("bn1", batchNorm(64))
            .child("relu", relu())
            .child("maxpool", maxPool(3, 2, 1, false));
    int in = 64;
    for (int stage = 0; stage < 4; stage++) {
      int width = 64 << stage;
      int out = bottleneck ? 4 * width : width;
      ScriptModule layer = new ScriptModule("torch.nn.modules.container.Sequential");
      StringBuilder x = new StringBuilder("x");
      for (int i = 0; i < blocks[stage]; i++) {
        int stride = i == 0 && stage > 0 ? 2 : 1;
        layer.child(Integer.toString(i), residual(bottleneck, in, width, out, stride));
        in = out;
        x.replace(0, x.length(), call(Integer.toString(i), x.toString()));
      }
      root.child("layer" + (stage + 1), layer.forward("return " + x));
    }
    return root.child("avgpool", averagePool())
        .child("fc", linear(in, 1000))
        .forward(
            "x0 = " + call("maxpool", call("relu", call("bn1", call("conv1", "x")))),
            "x1 = " + call("layer2", call("layer1", "x0")),
            "x2 = " + call("avgpool", call("layer4", call("layer3", "x1"))),
            "return " + call("fc", "torch.flatten(x2, 1)"));
  }

  private static ScriptModule residual(boolean bottleneck, int in, int width, int out, int stride) {
    ScriptModule block =
        new ScriptModule("torchvision.models.resnet." + (bottleneck ? "Bottleneck" : "BasicBlock"));
    String end;
    if (bottleneck) {
      block
          .child("conv1", conv(in, width, 1, 1, 0, 1))
          .child("bn1", batchNorm(width))
          .child("conv2", conv(width, width, 3, stride, 1, 1))
          .child("bn2", batchNorm(width))
          .child("conv3", conv(width, out, 1, 1, 0, 1))
          .child("bn3", batchNorm(out));
      end = call("bn3", call("conv3", call("relu", call("bn2", call("conv2", "y")))));
    } else {
      block
          .child("conv1", conv(in, width, 3, stride, 1, 1))
          .child("bn1", batchNorm(width))
          .child("conv2", conv(width, out, 3, 1, 1, 1))
          .child("bn2", batchNorm(out));
      end = call("bn2", call("conv2", "y"));
    }
    block.child("relu", relu());
    String shortcut = "x";
    if (stride != 1 || in != out) {
      block.child(
          "downsample",
          new ScriptModule("torch.nn.modules.container.Sequential")
              .child("0", conv(in, out, 1, stride, 0, 1))
              .child("1", batchNorm(out))
              .forward("return " + call("1", call("0", "x"))));
      shortcut = call("downsample", "x");
    }
    return block.forward(
        "y = " + call("relu", call("bn1", call("conv1", "x"))),
        "z = " + end,
        "return " + call("relu", "torch.add_(z, " + shortcut + ")"));
  }

  private static ScriptModule mobileNetV2() {
    int[][] settings = {
      {1, 16, 1, 1},
      {6, 24, 2, 2},
      {6, 32, 3, 2},
      {6, 64, 4, 2},
      {6, 96, 3, 1},
      {6, 160, 3, 2},
      {6, 320, 1, 1}
    };
    ScriptModule features = new ScriptModule("torch.nn.modules.container.Sequential");
    features.child("0", convBnRelu6(3, 32, 3, 2, 1));
    int in = 32;
    int index = 1;
    for (int[] setting : settings) {
      for (int i = 0; i < setting[2]; i++) {
        int stride = i == 0 ? setting[3] : 1;
        features.child(
            Integer.toString(index++), invertedResidual(in, setting[1], stride, setting[0]));
        in = setting[1];
      }
    }
    features.child(Integer.toString(index), convBnRelu6(in, 1280, 1, 1, 1));
    features.forward("return " + chain(index + 1));
    return new ScriptModule("torchvision.models.mobilenetv2.MobileNetV2")
        .child("features", features)
        .child(
            "classifier",
            new ScriptModule("torch.nn.modules.container.Sequential")
                .child("1", linear(1280, 1000))
                .forward("return " + call("1", "x")))
        .forward(
            "y = torch.adaptive_avg_pool2d(" + call("features", "x") + ", [1, 1])",
            "return " + call("classifier", "torch.flatten(y, 1)"));
  }

  private static ScriptModule convBnRelu6(int in, int out, int kernel, int stride, int groups) {
    return new ScriptModule("torchvision.ops.misc.Conv2dNormActivation")
        .child("0", conv(in, out, kernel, stride, kernel / 2, groups))
        .child("1", batchNorm(out))
        .child(
            "2",
            new ScriptModule("torch.nn.modules.activation.ReLU6")
                .forward("return torch.hardtanh_(x, 0., 6.)"))
        .forward("return " + chain(3));
  }

  private static ScriptModule invertedResidual(int in, int out, int stride, int expansion) {
    int width = in * expansion;
    ScriptModule conv = new ScriptModule("torch.nn.modules.container.Sequential");
    int index = 0;
    if (expansion != 1) {
      conv.child(Integer.toString(index++), convBnRelu6(in, width, 1, 1, 1));
    }
    conv.child(Integer.toString(index++), convBnRelu6(width, width, 3, stride, width));
    conv.child(Integer.toString(index++), conv(width, out, 1, 1, 0, 1));
    conv.child(Integer.toString(index++), batchNorm(out));
    conv.forward("return " + chain(index));
    String result = call("conv", "x");
    return new ScriptModule("torchvision.models.mobilenetv2.InvertedResidual")
        .child("conv", conv)
        .forward("return " + (stride == 1 && in == out ? "torch.add(x, " + result + ")" : result));
  }

  private static ScriptModule squeezeNet() {
    ScriptModule features =
        new ScriptModule("torch.nn.modules.container.Sequential")
            .child("0", convWithBias(3, 64, 3, 2, 0))
            .child("1", relu())
            .child("2", maxPool(3, 2, 0, true))
            .child("3", fire(64, 16, 64))
            .child("4", fire(128, 16, 64))
            .child("5", maxPool(3, 2, 0, true))
            .child("6", fire(128, 32, 128))
            .child("7", fire(256, 32, 128))
            .child("8", maxPool(3, 2, 0, true))
            .child("9", fire(256, 48, 192))
            .child("10", fire(384, 48, 192))
            .child("11", fire(384, 64, 256))
            .child("12", fire(512, 64, 256))
            .forward("return " + chain(13));
    ScriptModule classifier =
        new ScriptModule("torch.nn.modules.container.Sequential")
            .child("1", convWithBias(512, 1000, 1, 1, 0))
            .child("2", relu())
            .child("3", averagePool())
            .forward("return " + call("3", call("2", call("1", "x"))));
    return new ScriptModule("torchvision.models.squeezenet.SqueezeNet")
        .child("features", features)
        .child("classifier", classifier)
        .forward("return torch.flatten(" + call("classifier", call("features", "x")) + ", 1)");
  }

  private static ScriptModule fire(int in, int squeeze, int expand) {
    return new ScriptModule("torchvision.models.squeezenet.Fire")
        .child("squeeze", convWithBias(in, squeeze, 1, 1, 0))
        .child("squeeze_activation", relu())
        .child("expand1x1", convWithBias(squeeze, expand, 1, 1, 0))
        .child("expand1x1_activation", relu())
        .child("expand3x3", convWithBias(squeeze, expand, 3, 1, 1))
        .child("expand3x3_activation", relu())
        .forward(
            "y = " + call("squeeze_activation", call("squeeze", "x")),
            "a = " + call("expand1x1_activation", call("expand1x1", "y")),
            "b = " + call("expand3x3_activation", call("expand3x3", "y")),
            "return torch.cat([a, b], 1)");
  }

  private static ScriptModule vit() {
    ScriptModule layers = new ScriptModule("torch.nn.modules.container.Sequential");
    StringBuilder x = new StringBuilder("x");
    for (int i = 0; i < 12; i++) {
      String name = "encoder_layer_" + i;
      layers.child(name, encoderBlock());
      x.replace(0, x.length(), call(name, x.toString()));
    }
    layers.forward("return " + x);
    ScriptModule encoder =
        new ScriptModule("torchvision.models.vision_transformer.Encoder")
            .parameter("pos_embedding", 0.02, 1, 197, 768)
            .child("layers", layers)
            .child("ln", layerNorm())
            .forward(
                "y = torch.add(x, self.pos_embedding)",
                "return " + call("ln", call("layers", "y")));
    return new ScriptModule("torchvision.models.vision_transformer.VisionTransformer")
        .parameter("class_token", 0.02, 1, 1, 768)
        .child("conv_proj", patches())
        .child("encoder", encoder)
        .child("heads", linear(768, 1000))
        .forward(
            "n = torch.size(x, 0)",
            "y = torch.reshape(" + call("conv_proj", "x") + ", [n, 768, 196])",
            "z = torch.permute(y, [0, 2, 1])",
            "token = torch.expand(self.class_token, [n, -1, -1])",
            "all = " + call("encoder", "torch.cat([token, z], 1)"),
            "return " + call("heads", "torch.select(all, 1, 0)"));
  }

  private static ScriptModule patches() {
    return new ScriptModule("torch.nn.modules.conv.Conv2d")
        .parameter("weight", 0.03, 768, 3, 16, 16)
        .parameter("bias", 0, 768)
        .forward(convolution("self.bias", 16, 0, 1));
  }

  private static ScriptModule encoderBlock() {
    ScriptModule attention =
        new ScriptModule("torch.nn.modules.activation.MultiheadAttention")
            .parameter("in_proj_weight", 0.036, 2304, 768)
            .parameter("in_proj_bias", 0.02, 2304)
            .child("out_proj", linear(768, 768))
            .forward(
                "n = torch.size(x, 0)",
                "t = torch.size(x, 1)",
                "qkv = torch.linear(x, self.in_proj_weight, self.in_proj_bias)",
                "heads = torch.permute(torch.reshape(qkv, [n, t, 3, 12, 64]), [2, 0, 3, 1, 4])",
                "q, k, v, = torch.unbind(heads)",
                "y = torch.scaled_dot_product_attention(q, k, v)",
                "z = torch.reshape(torch.permute(y, [0, 2, 1, 3]), [n, t, 768])",
                "return " + call("out_proj", "z"));
    ScriptModule mlp =
        new ScriptModule("torchvision.models.vision_transformer.MLPBlock")
            .child("0", linear(768, 3072))
            .child(
                "1",
                new ScriptModule("torch.nn.modules.activation.GELU")
                    .forward("return torch.gelu(x)"))
            .child("3", linear(3072, 768))
            .forward("return " + call("3", call("1", call("0", "x"))));
    return new ScriptModule("torchvision.models.vision_transformer.EncoderBlock")
        .child("ln_1", layerNorm())
        .child("self_attention", attention)
        .child("ln_2", layerNorm())
        .child("mlp", mlp)
        .forward(
            "y = torch.add(x, " + call("self_attention", call("ln_1", "x")) + ")",
            "return torch.add(y, " + call("mlp", call("ln_2", "y")) + ")");
  }

  private static ScriptModule conv(
      int in, int out, int kernel, int stride, int padding, int groups) {
    return new ScriptModule("torch.nn.modules.conv.Conv2d")
        .parameter("weight", heInit(in, kernel, groups), out, in / groups, kernel, kernel)
        .forward(convolution("None", stride, padding, groups));
  }

  private static ScriptModule convWithBias(int in, int out, int kernel, int stride, int padding) {
    return new ScriptModule("torch.nn.modules.conv.Conv2d")
        .parameter("weight", heInit(in, kernel, 1), out, in, kernel, kernel)
        .parameter("bias", 0.01, out)
        .forward(convolution("self.bias", stride, padding, 1));
  }

  private static String convolution(String bias, int stride, int padding, int groups) {
    return "return torch.conv2d(x, self.weight, %s, [%d, %d], [%d, %d], [1, 1], %d)"
        .formatted(bias, stride, stride, padding, padding, groups);
  }

  /** He et al., "Delving Deep into Rectifiers", 2015: activations keep their size. */
  private static double heInit(int in, int kernel, int groups) {
    return Math.sqrt(2.0 / (in / groups * kernel * kernel));
  }

  private static ScriptModule batchNorm(int channels) {
    return new ScriptModule("torch.nn.modules.batchnorm.BatchNorm2d")
        .ones("weight", channels)
        .parameter("bias", 0.01, channels)
        .buffer("running_mean", 0, channels)
        .buffer("running_var", 1, channels)
        .forward(
            "return torch.batch_norm(x, self.weight, self.bias, self.running_mean,"
                + " self.running_var, False, 0.1, 1.0000000000000001e-05, True)");
  }

  private static ScriptModule layerNorm() {
    return new ScriptModule("torch.nn.modules.normalization.LayerNorm")
        .ones("weight", 768)
        .parameter("bias", 0.01, 768)
        .forward(
            "return torch.layer_norm(x, [768], self.weight, self.bias, 9.9999999999999995e-07)");
  }

  private static ScriptModule linear(int in, int out) {
    return new ScriptModule("torch.nn.modules.linear.Linear")
        .parameter("weight", 1 / Math.sqrt(in), out, in)
        .parameter("bias", 0.01, out)
        .forward("return torch.linear(x, self.weight, self.bias)");
  }

  private static ScriptModule relu() {
    return new ScriptModule("torch.nn.modules.activation.ReLU").forward("return torch.relu_(x)");
  }

  private static ScriptModule maxPool(int kernel, int stride, int padding, boolean ceil) {
    return new ScriptModule("torch.nn.modules.pooling.MaxPool2d")
        .forward(
            "return torch.max_pool2d(x, [%d, %d], [%d, %d], [%d, %d], [1, 1], %s)"
                .formatted(
                    kernel, kernel, stride, stride, padding, padding, ceil ? "True" : "False"));
  }

  private static ScriptModule averagePool() {
    return new ScriptModule("torch.nn.modules.pooling.AdaptiveAvgPool2d")
        .forward("return torch.adaptive_avg_pool2d(x, [1, 1])");
  }

  /** The children "0" to "n-1", one after the other. */
  private static String chain(int n) {
    String x = "x";
    for (int i = 0; i < n; i++) {
      x = call(Integer.toString(i), x);
    }
    return x;
  }
}
