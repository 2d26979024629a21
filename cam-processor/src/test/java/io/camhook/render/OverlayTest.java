package io.camhook.render;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.camhook.cam.ReferenceCase;
import io.camhook.recording.Tensor;
import java.io.ByteArrayInputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

class OverlayTest {
  @TestFactory
  List<DynamicTest> overlay_should_be_byte_for_byte_that_of_pytorch_grad_cam() {
    return ReferenceCase.testsOrSkip(
        cases -> {
          List<DynamicTest> tests = new ArrayList<>();
          for (ReferenceCase reference : cases) {
            for (String key : reference.keys()) {
              if (key.startsWith("overlay/")) {
                tests.add(
                    DynamicTest.dynamicTest(
                        reference + " " + key, () -> compareOverlay(reference, key)));
              }
            }
          }
          return tests;
        });
  }

  private static void compareOverlay(ReferenceCase reference, String key) {
    Tensor image = reference.tensor("image_rgb");
    int height = (int) image.size(0);
    int width = (int) image.size(1);
    float[] heat = reference.map("final/" + key.substring("overlay/".length()), 0).values();
    Picture overlay = Overlay.of(new Picture(width, height, bytes(image)), heat);
    assertThat(overlay.rgb()).isEqualTo(bytes(reference.tensor(key)));
  }

  @Test
  void colour_tables_should_be_those_of_opencv() throws Exception {
    Map<String, Tensor> tables =
        ReferenceCase.safetensors(ReferenceCase.folder().resolve("colour_tables.safetensors"));
    for (ColourTable table : ColourTable.values()) {
      Tensor expected = tables.get(table.name().toLowerCase(Locale.ROOT));
      assertThat(table.triplets()).as(table.name()).isEqualTo(bytes(expected));
    }
  }

  @Test
  void overlay_should_brighten_to_the_full_range() {
    // JET(1) is (128, 0, 0) in OpenCV: o = 0.5 * 128/255 + 0.5 * 100/255 in red, 0.5 * 100/255 in
    // green
    // and blue; after dividing by the largest: 255, 255 * 100/228 = 111.8.
    Picture image = new Picture(1, 1, new byte[] {100, 100, 100});
    assertThat(Overlay.of(image, new float[] {1}).rgb())
        .containsExactly((byte) 255, (byte) 111, (byte) 111);
  }

  @Test
  void overlay_should_refuse_a_heatmap_of_another_size() {
    Picture image = new Picture(2, 1, new byte[6]);
    assertThatThrownBy(() -> Overlay.of(image, new float[3]))
        .hasMessage("a heatmap of 2x1 (width x height) needs 2 values, found 3");
  }

  @Test
  void png_should_give_the_same_pixels_back() throws Exception {
    Picture picture = new Picture(2, 1, new byte[] {1, 2, 3, (byte) 250, 0, 127});
    Picture read = Picture.of(ImageIO.read(new ByteArrayInputStream(picture.png())));
    assertThat(read.rgb()).isEqualTo(picture.rgb());
  }

  private static byte[] bytes(Tensor tensor) {
    ByteBuffer data = tensor.data();
    byte[] out = new byte[data.remaining()];
    data.get(out);
    return out;
  }
}
