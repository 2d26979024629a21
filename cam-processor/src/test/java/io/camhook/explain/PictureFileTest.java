package io.camhook.explain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.awt.image.BufferedImage;
import java.awt.image.DataBuffer;
import java.awt.image.Raster;
import java.awt.image.WritableRaster;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriter;
import javax.imageio.stream.ImageOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PictureFileTest {
  private static final int RED = 0xff0000;
  private static final int BLUE = 0x0000ff;

  @TempDir Path folder;

  /**
   * The left half of the camera's picture is red. 3 is upside down, so red is on the right; 6 was
   * held turned to the left and is turned to the right, so red is on top; 8 is the other way round.
   */
  @ParameterizedTest
  @CsvSource({
    "1, 32, 16, 4, 8, 28, 8",
    "3, 32, 16, 28, 8, 4, 8",
    "6, 16, 32, 8, 4, 8, 28",
    "8, 16, 32, 8, 28, 8, 4",
  })
  void pictures_should_stand_upright(
      int orientation, int width, int height, int redX, int redY, int blueX, int blueY)
      throws IOException {
    byte[] exif = {
      'E',
      'x',
      'i',
      'f',
      0,
      0,
      'M',
      'M',
      0,
      42,
      0,
      0,
      0,
      8,
      0,
      1,
      1,
      18,
      0,
      3,
      0,
      0,
      0,
      1,
      0,
      (byte) orientation,
      0,
      0,
      0,
      0,
      0,
      0
    };
    byte[] jpeg = jpeg(halves());
    ByteBuffer tagged = ByteBuffer.allocate(jpeg.length + exif.length + 4);
    tagged.put(jpeg, 0, 2).putShort((short) 0xffe1).putShort((short) (exif.length + 2));
    tagged.put(exif).put(jpeg, 2, jpeg.length - 2);
    Pixels read = read(tagged.array());
    assertThat(read.width()).isEqualTo(width);
    assertThat(read.height()).isEqualTo(height);
    assertThat(channel(read, redX, redY, 0)).isGreaterThan(200);
    assertThat(channel(read, redX, redY, 2)).isLessThan(60);
    assertThat(channel(read, blueX, blueY, 2)).isGreaterThan(200);
  }

  @Test
  void half_a_jpeg_should_be_refused() throws IOException {
    BufferedImage noise = new BufferedImage(200, 200, BufferedImage.TYPE_INT_RGB);
    for (int i = 0; i < 200 * 200; i++) {
      noise.setRGB(i % 200, i / 200, i * 7919);
    }
    byte[] whole = jpeg(noise);
    assertThat(read(whole).width()).isEqualTo(200);
    assertThatThrownBy(() -> read(Arrays.copyOf(whole, whole.length / 2)))
        .isInstanceOf(ExplainException.class)
        .hasMessageMatching(".*picture.*(damaged|cannot be decoded).*");
  }

  @Test
  void four_colours_for_print_should_be_refused() throws IOException {
    WritableRaster cmyk = Raster.createInterleavedRaster(DataBuffer.TYPE_BYTE, 16, 16, 4, null);
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    ImageWriter writer = ImageIO.getImageWritersByFormatName("jpeg").next();
    try (ImageOutputStream out = ImageIO.createImageOutputStream(bytes)) {
      writer.setOutput(out);
      writer.write(new IIOImage(cmyk, null, null));
    } finally {
      writer.dispose();
    }
    assertThatThrownBy(() -> read(bytes.toByteArray()))
        .isInstanceOf(ExplainException.class)
        .hasMessageContaining("convert it to RGB");
  }

  /** 0x8000 of 0xffff is 127.5 of 255; 0xffff all of it. */
  @Test
  void sixteen_bits_should_become_eight() throws IOException {
    BufferedImage grey = new BufferedImage(2, 1, BufferedImage.TYPE_USHORT_GRAY);
    grey.getRaster().setSample(0, 0, 0, 0x8000);
    grey.getRaster().setSample(1, 0, 0, 0xffff);
    Pixels read = read(png(grey));
    assertThat(read.channels()).isOne();
    assertThat(channel(read, 0, 0, 0)).isEqualTo(128);
    assertThat(channel(read, 1, 0, 0)).isEqualTo(255);
  }

  /**
   * The model takes four channels: opacity is one of them, and --mean and --std have four values.
   */
  @Test
  void four_channels_should_be_fed_with_their_own_means() throws IOException {
    BufferedImage image = new BufferedImage(1, 1, BufferedImage.TYPE_INT_ARGB);
    image.setRGB(0, 0, 0x33ff0000 | 0x0000cc);
    Pixels read = read(png(image));
    assertThat(read.channels()).isEqualTo(4);
    float[] fed =
        Preprocessing.imageNet()
            .withSize(1, 1)
            .withChannels(4)
            .withNormalisation(new float[] {0, 0, 0, 0.2f}, new float[] {1, 1, 2, 0.5f})
            .feed(read)
            .tensor()
            .toFloats();
    // 255 / 255, 0, 204 / 255 / 2, (51 / 255 - 0.2) / 0.5
    assertThat(fed).usingComparatorWithPrecision(1e-6f).containsExactly(1, 0, 0.4f, 0);
    assertThatThrownBy(() -> Preprocessing.imageNet().withSize(1, 1).withChannels(4).feed(read))
        .isInstanceOf(ExplainException.class)
        .hasMessageContaining("give it 4");
  }

  /** A picture of 32x16 for a model of 16x16: red left, blue right. */
  @Test
  void pictures_should_keep_their_proportions_unless_stretched() throws IOException {
    Pixels wide = read(png(halves()));
    Preprocessing square =
        Preprocessing.imageNet()
            .withSize(16, 16)
            .withNormalisation(new float[] {0.5f, 0.5f, 0.5f}, new float[] {1, 1, 1});
    // cropped to the middle: columns 8 to 24, half red and half blue
    PictureFrame crop = square.feed(wide).frame();
    assertThat(new double[] {crop.left(), crop.top(), crop.width(), crop.height()})
        .containsExactly(8, 0, 16, 16);
    // padded with the mean colour above and below: half as large, four rows of grey at the edges
    Preprocessing.Fed pad = square.withFit(Fit.PAD).feed(wide);
    assertThat(new double[] {pad.frame().left(), pad.frame().top()}).containsExactly(0, -8);
    float[] padded = pad.tensor().toFloats();
    assertThat(padded[0]).isCloseTo(0, org.assertj.core.data.Offset.offset(0.01f));
    assertThat(padded[8 * 16]).isCloseTo(0.5f, org.assertj.core.data.Offset.offset(0.01f));
    // stretched: all of it
    PictureFrame all = square.withFit(Fit.STRETCH).feed(wide).frame();
    assertThat(new double[] {all.left(), all.top(), all.width(), all.height()})
        .containsExactly(0, 0, 32, 16);
  }

  @Test
  void text_should_not_be_a_picture() {
    assertThatThrownBy(() -> read("hello".getBytes(StandardCharsets.UTF_8)))
        .hasMessageContaining("expected a picture");
  }

  private static BufferedImage halves() {
    BufferedImage image = new BufferedImage(32, 16, BufferedImage.TYPE_INT_RGB);
    for (int i = 0; i < 32 * 16; i++) {
      image.setRGB(i % 32, i / 32, i % 32 < 16 ? RED : BLUE);
    }
    return image;
  }

  private static byte[] jpeg(BufferedImage image) throws IOException {
    return bytes(image, "jpeg");
  }

  private static byte[] png(BufferedImage image) throws IOException {
    return bytes(image, "png");
  }

  private static byte[] bytes(BufferedImage image, String format) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    assertThat(ImageIO.write(image, format, out)).isTrue();
    return out.toByteArray();
  }

  private Pixels read(byte[] bytes) throws IOException {
    return PictureFile.read(Files.write(folder.resolve("picture"), bytes));
  }

  private static int channel(Pixels pixels, int x, int y, int channel) {
    return pixels.values()[(y * pixels.width() + x) * pixels.channels() + channel] & 0xff;
  }
}
