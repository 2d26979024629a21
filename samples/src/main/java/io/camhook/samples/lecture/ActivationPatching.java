package io.camhook.samples.lecture;

import ai.djl.MalformedModelException;
import ai.djl.Model;
import ai.djl.inference.Predictor;
import ai.djl.modality.cv.Image;
import ai.djl.modality.cv.ImageFactory;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.translate.NoopTranslator;
import ai.djl.translate.TranslateException;
import io.camhook.ForwardHook;
import io.camhook.HookHandle;
import io.camhook.HookOptions;
import io.camhook.Hooks;
import io.camhook.recording.Safetensors;
import io.camhook.recording.Tensor;
import io.camhook.samples.shapes.ShapesNet;
import io.camhook.samples.shapes.ShapesTranslator;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Activation patching between two pictures: {@code ActivationPatching FROM.png INTO.png DIRECTORY
 * [MODEL.pt LAYER…]}. The network reads INTO, and at one layer a patch of its activation is taken
 * from FROM. How far that moves the score from INTO's answer to FROM's (0 not at all, 1 all the
 * way) gives a map of the layer; {@code camhook report DIRECTORY} shows the maps. The score is the
 * logit of FROM's class minus that of INTO's.
 *
 * <p>Without a model it is the demo's network and its five convolutions. A {@code .pt} gets
 * pictures {@code [N, 3, H, W]} with values in −1..1, has to answer {@code [N, classes]}, and has
 * to be named in the agent's configuration; LAYER is a path in it whose output is {@code [N, C, H,
 * W]}.
 */
public final class ActivationPatching {
  private static final int CELLS = 12;
  private static final List<String> CONVOLUTIONS =
      List.of(
          "01SequentialBlock",
          "02SequentialBlock",
          "04SequentialBlock",
          "06SequentialBlock",
          "07SequentialBlock");

  private final Model model;
  private final Predictor<NDList, NDList> predictor;
  private final NDArray from;
  private final NDArray into;

  private ActivationPatching(
      Model model, Predictor<NDList, NDList> predictor, NDArray from, NDArray into) {
    this.model = model;
    this.predictor = predictor;
    this.from = from;
    this.into = into;
  }

  public static void main(String[] args)
      throws IOException, MalformedModelException, TranslateException {
    if (args.length < 3 || args.length == 4) {
      System.err.println(
          "usage: ActivationPatching FROM.png INTO.png DIRECTORY [MODEL.pt LAYER...]");
      System.exit(2);
    }
    List<String> layers =
        args.length == 3 ? CONVOLUTIONS : Arrays.asList(args).subList(4, args.length);
    Image into = ImageFactory.getInstance().fromFile(Path.of(args[1]));
    try (Model model = args.length == 3 ? ShapesNet.load() : script(Path.of(args[3]));
        NDManager manager = NDManager.newBaseManager("PyTorch");
        Predictor<NDList, NDList> predictor = model.newPredictor(new NoopTranslator(null))) {
      Image from = ImageFactory.getInstance().fromFile(Path.of(args[0]));
      new ActivationPatching(model, predictor, input(from, manager), input(into, manager))
          .run(layers, Path.of(args[2]), name(args[0]) + "-into-" + name(args[1]), into);
    }
  }

  private static Model script(Path file) throws IOException, MalformedModelException {
    Model model = Model.newInstance(name(file.toString()), "PyTorch");
    model.load(file);
    return model;
  }

  private static String name(String file) {
    return Path.of(file).getFileName().toString().replaceAll("\\.[^.]*$", "");
  }

  private static NDArray input(Image picture, NDManager manager) {
    return ShapesTranslator.normalise(picture.toNDArray(manager, Image.Flag.COLOR)).expandDims(0);
  }

  private void run(List<String> layers, Path directory, String name, Image picture)
      throws IOException, TranslateException {
    float[] fromLogits = logits(from);
    float[] intoLogits = logits(into);
    int fromClass = best(fromLogits);
    int intoClass = best(intoLogits);
    double begin = intoLogits[fromClass] - intoLogits[intoClass];
    double end = fromLogits[fromClass] - fromLogits[intoClass];
    if (fromClass == intoClass) {
      throw new IllegalArgumentException(
          "both pictures are of class %d; expected pictures of two classes".formatted(fromClass));
    }
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    tensors.put("image", pixels(picture));
    tensors.put("logits", Tensor.ofFloats(intoLogits, 1, intoLogits.length));
    for (String layer : layers) {
      NDArray values = activation(layer);
      int rows = (int) Math.min(CELLS, values.getShape().get(2));
      int columns = (int) Math.min(CELLS, values.getShape().get(3));
      float[] moved = moved(layer, values, cells(values, rows, columns), fromClass, intoClass);
      float[] whole = moved(layer, values, cells(values, 1, 1), fromClass, intoClass);
      for (int i = 0; i < moved.length; i++) {
        moved[i] = (float) ((moved[i] - begin) / (end - begin));
      }
      double all = (whole[0] - begin) / (end - begin);
      double most = max(moved);
      System.out.printf(
          Locale.ROOT, "%-20s all of it %5.2f, its strongest patch %5.2f%n", layer, all, most);
      String method = "patching-" + layer;
      tensors.put("raw/" + method + "/" + layer, Tensor.ofFloats(moved, rows, columns));
      tensors.put(
          "heatmap/" + method,
          heatmap(moved, rows, columns, picture.getHeight(), picture.getWidth()));
    }
    write(directory, name, tensors, fromClass, begin);
  }

  private float[] logits(NDArray input) throws TranslateException {
    return predictor.predict(new NDList(input)).head().toFloatArray();
  }

  private static int best(float[] logits) {
    int best = 0;
    for (int i = 1; i < logits.length; i++) {
      best = logits[i] > logits[best] ? i : best;
    }
    return best;
  }

  private static float max(float[] values) {
    float max = values[0];
    for (float value : values) {
      max = Math.max(max, value);
    }
    return max;
  }

  /** The layer's output for FROM, {@code [1, C, H, W]}. */
  private NDArray activation(String layer) throws TranslateException {
    AtomicReference<@Nullable NDArray> seen = new AtomicReference<>();
    ForwardHook<Block, NDList> look =
        (module, path, inputs, outputs) -> {
          NDArray copy = Objects.requireNonNull(outputs).head().duplicate();
          copy.attach(from.getManager());
          seen.set(copy);
          return null;
        };
    try (HookHandle hook = Hooks.registerForwardHook(model, layer, look)) {
      predictor.predict(new NDList(from));
    }
    return Objects.requireNonNull(seen.get(), layer);
  }

  /** One mask per cell, {@code [cells, 1, H, W]}, 1 inside the cell. */
  private static NDArray cells(NDArray values, int rows, int columns) {
    int height = (int) values.getShape().get(2);
    int width = (int) values.getShape().get(3);
    float[] masks = new float[rows * columns * height * width];
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        int cell = y * rows / height * columns + x * columns / width;
        masks[(cell * height + y) * width + x] = 1;
      }
    }
    return values.getManager().create(masks, new Shape(rows * columns, 1, height, width));
  }

  /** The score with each of the masks patched, by one forward of that many copies of INTO. */
  private float[] moved(String layer, NDArray values, NDArray masks, int fromClass, int intoClass)
      throws TranslateException {
    ForwardHook<Block, NDList> patch =
        (module, path, inputs, outputs) -> {
          NDArray own = Objects.requireNonNull(outputs).head();
          return new NDList(own.mul(masks.neg().add(1)).add(values.mul(masks)));
        };
    long copies = masks.getShape().get(0);
    try (HookHandle hook =
        Hooks.registerForwardHook(model, layer, patch, HookOptions.replacing())) {
      float[] logits = logits(into.repeat(0, copies));
      int classes = logits.length / (int) copies;
      float[] scores = new float[(int) copies];
      for (int i = 0; i < scores.length; i++) {
        scores[i] = logits[i * classes + fromClass] - logits[i * classes + intoClass];
      }
      return scores;
    }
  }

  /** Like a heatmap: the positive part scaled to 0..1, each pixel with the value of its cell. */
  private static Tensor heatmap(float[] moved, int rows, int columns, int height, int width) {
    float most = Math.max(max(moved), Float.MIN_NORMAL);
    float[] pixels = new float[height * width];
    for (int i = 0; i < pixels.length; i++) {
      int cell = i / width * rows / height * columns + i % width * columns / width;
      pixels[i] = Math.max(0, moved[cell]) / most;
    }
    return Tensor.ofFloats(pixels, height, width);
  }

  private static Tensor pixels(Image picture) {
    try (NDManager manager = NDManager.newBaseManager("PyTorch")) {
      byte[] rgb = picture.toNDArray(manager, Image.Flag.COLOR).toByteArray();
      return Tensor.ofBytes(rgb, picture.getHeight(), picture.getWidth(), 3);
    }
  }

  private void write(
      Path directory, String name, Map<String, Tensor> tensors, int target, double score)
      throws IOException {
    Map<String, String> metadata = new LinkedHashMap<>();
    metadata.put("camhook.explanation", "1");
    metadata.put("name", name);
    metadata.put("model", model.getName());
    metadata.put("time", Instant.now().toString());
    List<String> label = new ArrayList<>();
    if (model.getName().equals(ShapesNet.NAME)) {
      label.add("\"label\":\"" + ShapesNet.classNames().get(target) + "\",");
    }
    metadata.put(
        "targets",
        "[{\"sample\":0,\"n\":0,\"index\":%d,%s\"score\":%s}]"
            .formatted(target, String.join("", label), score));
    metadata.put("top_k", "[]");
    Files.createDirectories(directory);
    Path file = directory.resolve(name + ".safetensors");
    try (FileChannel channel =
        FileChannel.open(
            file,
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING,
            StandardOpenOption.WRITE)) {
      new Safetensors(metadata, tensors).write(channel);
    }
    System.out.println("written " + file);
  }
}
