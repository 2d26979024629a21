package io.camhook.explain;

import io.camhook.recording.Safetensors;
import io.camhook.recording.Tensor;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;

/** A model of one convolution whose numbers are computed by hand, see the README beside it. */
public final class OneConv {
  private OneConv() {}

  /** Writes the model into a folder. */
  public static Path model(Path folder) throws IOException {
    Path file = folder.resolve("one_conv.pt");
    try (InputStream in = OneConv.class.getResourceAsStream("one_conv.traced.pt")) {
      Files.copy(in, file);
    }
    return file;
  }

  /** 0 to 15. */
  public static Tensor input() {
    float[] values = new float[16];
    for (int i = 0; i < values.length; i++) {
      values[i] = i;
    }
    return Tensor.ofFloats(values, 1, 1, 4, 4);
  }

  /** Writes tensors. */
  public static Path tensors(Path file, Map<String, Tensor> tensors) throws IOException {
    try (FileChannel out =
        FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      new Safetensors(Map.of(), tensors).write(out);
    }
    return file;
  }
}
