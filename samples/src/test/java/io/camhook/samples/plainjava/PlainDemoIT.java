package io.camhook.samples.plainjava;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.camhook.cam.CamMethods;
import io.camhook.cam.CaptureLayers;
import io.camhook.cam.FloatMap;
import io.camhook.cam.LayerTensors;
import io.camhook.recording.Capture;
import io.camhook.recording.RecordingReader;
import io.camhook.samples.Fork;
import io.camhook.samples.pictures.DrawnPicture;
import io.camhook.samples.pictures.PictureGenerator;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The hand-written network under the agent, hooked by YAML alone. */
class PlainDemoIT {
  private static final int PICTURES = 4;

  @TempDir Path directory;

  private final PictureGenerator generator = new PictureGenerator(77);

  @BeforeEach
  void draw() throws Exception {
    Files.createDirectory(directory.resolve("pictures"));
    for (int i = 0; i < PICTURES; i++) {
      ImageIO.write(
          generator.picture(i).toImage(),
          "png",
          directory.resolve("pictures").resolve(i + ".png").toFile());
    }
  }

  @Test
  void agent_should_record_the_network_and_change_nothing_of_its_results() throws Exception {
    List<String> plain =
        new Fork(directory).run(PlainDemo.class, "pictures", directory.resolve("a").toString());
    List<String> watched =
        new Fork(directory)
            .agent(
                "config="
                    + Path.of("config/plain.yaml").toAbsolutePath()
                    + ",output.directory=recording")
            .run(PlainDemo.class, "pictures", directory.resolve("b").toString());

    assertThat(watched).hasSize(PICTURES + 1).isEqualTo(plain);
    assertThat(directory.resolve("b")).hasSameBinaryContentAs(directory.resolve("a"));
    try (RecordingReader recording = RecordingReader.open(directory.resolve("recording"))) {
      for (int i = 0; i < PICTURES; i++) {
        Capture capture = recording.next();
        DrawnPicture picture = generator.picture(i);
        byte[] image = new byte[picture.rgb().length];
        capture.tensors().get("image").data().get(image);
        assertThat(image).isEqualTo(picture.rgb());
        requireGradCam(capture, picture);
      }
      assertThat(recording.next()).isNull();
    }
  }

  /** Grad-CAM from the recording against A and g taken by calling the layers one by one. */
  private static void requireGradCam(Capture capture, DrawnPicture picture) throws Exception {
    PlainNet net = PlainNet.load();
    float[] logits = net.forward(PlainNet.planes(picture));
    int last = net.layers().size() - 3;
    float[] gradient = new float[logits.length];
    gradient[PlainNet.best(logits)] = 1;
    for (int i = net.layers().size() - 1; i > last; i--) {
      gradient = net.layers().get(i).backward(gradient);
    }
    int[] shape = net.layers().get(last).outputShape();
    int area = shape[1] * shape[2];
    float[] activation = activation(net, picture, last);
    float[] expected = new float[area];
    for (int c = 0; c < shape[0]; c++) {
      // the gradient after global average pooling is the same at every position
      for (int p = 0; p < area; p++) {
        expected[p] += gradient[c * area] * activation[c * area + p];
      }
    }

    LayerTensors layer = CaptureLayers.of(capture, List.of(), 0).get(0);
    assertThat(layer.path()).isEqualTo("layers." + last);
    FloatMap map =
        CamMethods.byId("gradcam").raw(layer.sample(0, CaptureLayers.inputShape(capture)));
    assertThat(map.shape()).containsExactly(shape[1], shape[2]);
    // sums of at most 64 products in different order
    assertThat(map.values()).containsExactly(expected, within(64 * 0x1p-24f * Math.abs(map.max())));
  }

  private static float[] activation(PlainNet net, DrawnPicture picture, int last) {
    float[][][] planes = PlainNet.planes(picture);
    float[] x = new float[3 * picture.height() * picture.width()];
    for (int i = 0; i < x.length; i++) {
      int pixel = i % (picture.height() * picture.width());
      x[i] =
          planes[i / (picture.height() * picture.width())][pixel / picture.width()][
              pixel % picture.width()];
    }
    for (int i = 0; i <= last; i++) {
      x = net.layers().get(i).forward(x);
    }
    return x;
  }
}
