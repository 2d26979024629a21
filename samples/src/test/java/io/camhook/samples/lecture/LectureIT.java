package io.camhook.samples.lecture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Model;
import ai.djl.modality.cv.Image;
import ai.djl.modality.cv.ImageFactory;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.training.ParameterStore;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.camhook.cam.CamMethods;
import io.camhook.cam.CaptureLayers;
import io.camhook.cam.FloatMap;
import io.camhook.cam.LayerTensors;
import io.camhook.recording.Capture;
import io.camhook.recording.RecordingReader;
import io.camhook.recording.Safetensors;
import io.camhook.samples.Fork;
import io.camhook.samples.pictures.DrawnPicture;
import io.camhook.samples.pictures.PictureGenerator;
import io.camhook.samples.shapes.ShapesDemo;
import io.camhook.samples.shapes.ShapesNet;
import io.camhook.samples.shapes.ShapesTranslator;
import java.awt.image.Raster;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The examples of the lecture, each as its one command. */
class LectureIT {
  /** Derived by hand in the javadoc of the example. */
  private static final List<String> GRADIENTS =
      List.of(
          "hooks that look on:",
          "dy/dy = 1.0",
          "dy/db = 3.0",
          "dy/da = 2.0",
          "dy/dw = 5.0",
          "a hook that doubles the gradient of a:",
          "dy/dy = 1.0",
          "dy/db = 3.0",
          "dy/da = 4.0",
          "dy/dw = 7.0");

  @TempDir Path directory;

  @Test
  void gradient_example_should_see_the_gradients_inside_and_double_one() throws Exception {
    assertThat(new Fork(directory).agent("").run(GradientExample.class))
        .containsExactlyElementsOf(GRADIENTS);
  }

  @Test
  void gradient_example_should_attach_the_agent_itself_if_asked_to() throws Exception {
    assertThat(
            new Fork(directory)
                .withRuntime()
                .jvm("-Dcamhook.selfAttach=true")
                .jvm("-Dcamhook.agentJar=" + Fork.agentJar())
                .run(GradientExample.class))
        .containsExactlyElementsOf(GRADIENTS);
  }

  @Test
  void convolution_example_should_show_feature_maps_of_9_and_18_to_all_four_hooks()
      throws Exception {
    String pictureGradient =
        "(1, 1, 4, 4) [3.0, 3.0, 3.0, 0.0, 3.0, 3.0, 3.0, 0.0, 3.0, 3.0, 3.0, 0.0,"
            + " 0.0, 0.0, 0.0, 0.0]";
    assertThat(new Fork(directory).agent("").run(ConvolutionExample.class))
        .containsExactly(
            "forward pre hook of 01Conv2d, input: (1, 1, 4, 4) "
                + "[1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0,"
                + " 1.0, 1.0, 1.0, 1.0]",
            "forward hook of 01Conv2d, output: (1, 2, 2, 2) "
                + "[9.0, 9.0, 9.0, 9.0, 18.0, 18.0, 18.0, 18.0]",
            "forward hook of 02LambdaBlock, output: (1, 2, 1, 1) [9.0, 18.0]",
            "full backward hook of 01Conv2d, gradient of the output: (1, 2, 2, 2) "
                + "[1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0]",
            "full backward hook of 01Conv2d, gradient of the input: " + pictureGradient,
            "tensor hook of the picture, gradient: " + pictureGradient);
  }

  @Test
  void feature_maps_should_be_the_channels_of_the_layer_side_by_side() throws Exception {
    DrawnPicture picture = new PictureGenerator(9).picture(0);
    ImageIO.write(picture.toImage(), "png", directory.resolve("picture.png").toFile());

    List<String> lines =
        new Fork(directory)
            .agent("")
            .run(FeatureMaps.class, "picture.png", "01SequentialBlock", "grid.png");

    assertThat(lines).contains("01SequentialBlock gives (1, 16, 48, 48)");
    Raster grid = ImageIO.read(directory.resolve("grid.png").toFile()).getRaster();
    assertThat(grid.getWidth()).isEqualTo(8 * 48 + 7 * 2);
    assertThat(grid.getHeight()).isEqualTo(2 * 48 + 2);
    float[][] channels = withoutHooks(picture, 1);
    for (int c = 0; c < channels.length; c++) {
      float min = Float.POSITIVE_INFINITY;
      float max = Float.NEGATIVE_INFINITY;
      for (float value : channels[c]) {
        min = Math.min(min, value);
        max = Math.max(max, value);
      }
      for (int i = 0; i < channels[c].length; i++) {
        int grey = grid.getSample(c % 8 * 50 + i % 48, c / 8 * 50 + i / 48, 0);
        // a grey level is a 255th of the range, rounded either way
        assertThat(min + grey / 255f * (max - min))
            .isCloseTo(channels[c][i], within((max - min) / 255 + 1e-6f));
      }
    }
  }

  @Test
  void patches_should_move_the_score_as_far_as_the_network_by_hand() throws Exception {
    new Fork(directory)
        .run(ShapesDemo.class, "--pictures", "pictures", "--count", "8", "--pairs", "0");
    List<Path> all = pictures();
    Path from = all.get(1);
    Path into =
        all.stream().filter(file -> !label(file).equals(label(from))).findFirst().orElseThrow();

    List<String> lines =
        new Fork(directory)
            .agent("")
            .run(ActivationPatching.class, from.toString(), into.toString(), "patched");

    // a layer that all data passes through, patched as a whole, gives the other picture's score
    assertThat(lines.stream().filter(line -> line.contains("all of it  1.00"))).hasSize(5);
    Safetensors found;
    try (var files = Files.list(directory.resolve("patched"))) {
      found = Safetensors.read(files.findFirst().orElseThrow());
    }
    String layer = "07SequentialBlock";
    float[] map = found.tensors().get("raw/patching-" + layer + "/" + layer).toFloats();
    float[] expected = patchedByHand(from, into, 7);
    // float32 through the last three layers, relative to a difference of scores of order 10
    assertThat(map).containsExactly(expected, within(1e-4f));
    new Fork(directory).runJar(Fork.commandJar(), "report", "patched", "-o", "report.html");
    assertThat(Files.readString(directory.resolve("report.html"))).contains("patching-" + layer);
  }

  private static String label(Path picture) {
    return picture.getFileName().toString().replaceAll("[0-9]+-|\\.png", "");
  }

  /** One position of FROM's activation at a time, of 12 × 12, without hooks. */
  private static float[] patchedByHand(Path from, Path into, int depth) throws Exception {
    try (Model model = ShapesNet.load();
        NDManager manager = NDManager.newBaseManager("PyTorch")) {
      ParameterStore weights = new ParameterStore(manager, false);
      List<Block> blocks = model.getBlock().getChildren().values();
      NDArray[] before = new NDArray[2];
      float[][] logits = new float[2][];
      int i = 0;
      for (Path file : List.of(from, into)) {
        NDArray pixels =
            ImageFactory.getInstance().fromFile(file).toNDArray(manager, Image.Flag.COLOR);
        NDList values = new NDList(ShapesTranslator.normalise(pixels).expandDims(0));
        for (Block block : blocks.subList(0, depth)) {
          values = block.forward(weights, values, false);
        }
        before[i] = values.head();
        logits[i++] = rest(blocks, depth, before[i - 1], weights);
      }
      int to = best(logits[0]);
      int of = best(logits[1]);
      float begin = logits[1][to] - logits[1][of];
      float end = logits[0][to] - logits[0][of];
      float[] map = new float[12 * 12];
      for (int cell = 0; cell < map.length; cell++) {
        NDArray patched = before[1].duplicate();
        NDIndex at = new NDIndex(":, :, %d, %d".formatted(cell / 12, cell % 12));
        patched.set(at, before[0].get(at));
        float[] scores = rest(blocks, depth, patched, weights);
        map[cell] = (scores[to] - scores[of] - begin) / (end - begin);
      }
      return map;
    }
  }

  private static float[] rest(
      List<Block> blocks, int depth, NDArray values, ParameterStore weights) {
    NDList list = new NDList(values);
    for (Block block : blocks.subList(depth, blocks.size())) {
      list = block.forward(weights, list, false);
    }
    return list.head().toFloatArray();
  }

  private static int best(float[] logits) {
    int best = 0;
    for (int i = 1; i < logits.length; i++) {
      best = logits[i] > logits[best] ? i : best;
    }
    return best;
  }

  @Test
  void feature_maps_should_be_in_the_report_as_a_grid() throws Exception {
    new Fork(directory)
        .agent(
            "config="
                + Path.of("config/features.yaml").toAbsolutePath()
                + ",output.directory=recording")
        .run(ShapesDemo.class, "--pictures", "pictures", "--count", "1", "--pairs", "0");
    new Fork(directory).runJar(Fork.commandJar(), "report", "recording", "-o", "report.html");

    JsonObject capture = data(directory.resolve("report.html"), "c0");
    List<JsonObject> grids = new ArrayList<>();
    capture.getAsJsonArray("channels").forEach(grid -> grids.add(grid.getAsJsonObject()));
    assertThat(grids)
        .extracting(grid -> grid.get("l").getAsString() + " " + grid.get("count").getAsInt())
        .containsExactly(
            "01SequentialBlock 16",
            "02SequentialBlock 32",
            "04SequentialBlock 48",
            "06SequentialBlock 64",
            "07SequentialBlock 64");
    requireMaps(grids.get(3), withoutHooks(DrawnPicture.read(pictures().get(0)), 6));
  }

  /** All channels of a grid of 12×12, of which the report keeps 256 levels each. */
  private static void requireMaps(JsonObject grid, float[][] channels) throws DataFormatException {
    assertThat(grid.get("w").getAsInt()).isEqualTo(12);
    byte[] packed = Base64.getDecoder().decode(grid.get("data").getAsString());
    Inflater inflater = new Inflater(true);
    inflater.setInput(packed);
    byte[] levels = new byte[64 * 12 * 12];
    assertThat(inflater.inflate(levels)).isEqualTo(levels.length);
    assertThat(inflater.finished()).isTrue();
    inflater.end();
    for (int i = 0; i < channels.length; i++) {
      float[] channel = channels[grid.getAsJsonArray("index").get(i).getAsInt()];
      float min = grid.getAsJsonArray("min").get(i).getAsFloat();
      float range = grid.getAsJsonArray("max").get(i).getAsFloat() - min;
      for (int at = 0; at < channel.length; at++) {
        assertThat(min + (levels[i * channel.length + at] & 0xff) / 255f * range)
            .isCloseTo(channel[at], within(range / 255 + 1e-5f));
      }
    }
  }

  /** The JSON of a data element of the report. */
  private static JsonObject data(Path report, String id) throws Exception {
    String html = Files.readString(report);
    String open = "<script type=\"application/json\" id=\"" + id + "\">";
    int start = html.indexOf(open) + open.length();
    return JsonParser.parseString(html.substring(start, html.indexOf("</script>", start)))
        .getAsJsonObject();
  }

  /** The channels after the first children, which are called by themselves. */
  private static float[][] withoutHooks(DrawnPicture picture, int children) throws Exception {
    try (Model model = ShapesNet.load();
        NDManager manager = model.getNDManager().newSubManager()) {
      NDArray pixels =
          manager.create(ByteBuffer.wrap(picture.rgb()), new Shape(96, 96, 3), DataType.UINT8);
      NDList output = new NDList(ShapesTranslator.normalise(pixels).expandDims(0));
      for (int i = 0; i < children; i++) {
        output =
            model
                .getBlock()
                .getChildren()
                .get(i)
                .getValue()
                .forward(new ParameterStore(manager, false), output, false);
      }
      NDArray maps = output.head().get(0);
      float[][] channels = new float[(int) maps.getShape().get(0)][];
      for (int c = 0; c < channels.length; c++) {
        channels[c] = maps.get(c).toFloatArray();
      }
      return channels;
    }
  }

  @Test
  void grad_cam_by_a_users_hooks_should_equal_gradcam() throws Exception {
    new Fork(directory)
        .agent(
            "config="
                + Path.of("config/shapes.yaml").toAbsolutePath()
                + ",output.directory=recording")
        .run(ShapesDemo.class, "--pictures", "pictures", "--count", "2", "--pairs", "0");

    try (RecordingReader recording = RecordingReader.open(directory.resolve("recording"))) {
      for (Path picture : pictures()) {
        FloatMap expected = gradCam(recording.next());
        new Fork(directory)
            .agent("")
            .run(UserGradCam.class, picture.toString(), directory.resolve("map").toString());
        float[] map = floats(directory.resolve("map"));
        // two sums of 64 products in different order: 64 roundings of 2⁻²⁴ of the largest value
        assertThat(map).containsExactly(expected.values(), within(64 * 0x1p-24f * expected.max()));
      }
      assertThat(recording.next()).isNull();
    }
  }

  private List<Path> pictures() throws Exception {
    try (var files = Files.list(directory.resolve("pictures"))) {
      return files.filter(file -> file.toString().endsWith(".png")).sorted().toList();
    }
  }

  private static FloatMap gradCam(Capture capture) {
    LayerTensors layer = CaptureLayers.of(capture, List.of(), 0).get(0);
    assertThat(layer.path()).isEqualTo("08LambdaBlock");
    return CamMethods.byId("gradcam")
        .raw(layer.sample(0, CaptureLayers.inputShape(capture)))
        .relu();
  }

  private static float[] floats(Path file) throws Exception {
    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    float[] values = new float[bytes.remaining() / Float.BYTES];
    bytes.asFloatBuffer().get(values);
    return values;
  }
}
