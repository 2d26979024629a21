package io.camhook.samples.shapes;

import static org.assertj.core.api.Assertions.assertThat;

import io.camhook.samples.pictures.DrawnPicture;
import java.awt.image.BufferedImage;
import java.nio.file.Files;
import java.nio.file.Path;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ShapesDemoTest {
  @TempDir Path folder;

  @Test
  void demo_should_note_its_answers_beside_the_truth() throws Exception {
    run("--count", "8", "--pairs", "2");

    PictureFolder pictures = PictureFolder.read(folder);
    assertThat(pictures.pictures()).hasSize(10);
    for (PictureFolder.Entry entry : pictures.pictures()) {
      assertThat(entry.isCorrect()).isTrue();
      assertThat(entry.probability()).isBetween(0.0, 1.0);
      DrawnPicture picture = DrawnPicture.read(folder.resolve(entry.file()));
      assertThat(picture.sha256()).isEqualTo(entry.sha256());
      for (PictureFolder.Truth truth : entry.objects()) {
        BufferedImage mask = ImageIO.read(folder.resolve(truth.mask()).toFile());
        assertThat(mask.getWidth()).isEqualTo(picture.width());
        assertThat(mask.getHeight()).isEqualTo(picture.height());
      }
    }
    assertThat(pictures.pictures().get(9).objects()).hasSize(2);
  }

  @Test
  void outputs_should_not_depend_on_the_number_of_threads() throws Exception {
    Path one = folder.resolve("one.bin");
    Path three = folder.resolve("three.bin");
    run("--count", "10", "--pairs", "0", "--outputs", one.toString());
    run("--threads", "3", "--outputs", three.toString());

    assertThat(Files.size(one)).isEqualTo(10 * 7 * 4);
    assertThat(three).hasSameBinaryContentAs(one);
  }

  private void run(String... options) throws Exception {
    String[] args = new String[options.length + 2];
    args[0] = "--pictures";
    args[1] = folder.toString();
    System.arraycopy(options, 0, args, 2, options.length);
    ShapesDemo.main(args);
  }
}
