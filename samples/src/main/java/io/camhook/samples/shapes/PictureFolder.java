package io.camhook.samples.shapes;

import ai.djl.util.JsonUtils;
import com.google.gson.annotations.SerializedName;
import io.camhook.samples.pictures.DrawnPicture;
import io.camhook.samples.pictures.Mask;
import io.camhook.samples.pictures.PictureGenerator;
import io.camhook.samples.pictures.PictureObject;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import javax.imageio.ImageIO;
import org.jspecify.annotations.Nullable;

/**
 * Pictures on disk with their ground truth: {@code 0007-star.png} …, {@code masks/0007-star.png}
 * (white where the object is), and {@code pictures.json}, which lists them.
 *
 * @param pictures in the order of their file names
 */
record PictureFolder(List<Entry> pictures) {
  private static final String INDEX = "pictures.json";

  /**
   * One picture.
   *
   * @param file relative to the folder
   * @param sha256 of the RGB bytes, row-major, red first
   * @param objects what it shows
   * @param predicted the class that the network named, null before it was asked
   * @param probability of that class, null before the network was asked
   */
  record Entry(
      String file,
      String sha256,
      List<Truth> objects,
      @Nullable String predicted,
      @Nullable Double probability) {

    /** The same picture with an answer. */
    Entry answered(String className, double probability) {
      return new Entry(file, sha256, objects, className, probability);
    }

    boolean isCorrect() {
      return objects.stream().anyMatch(object -> object.label.equals(predicted));
    }
  }

  /**
   * One object of a picture.
   *
   * @param label its class
   * @param mask the file with its mask, relative to the folder
   */
  record Truth(@SerializedName("class") String label, String mask) {}

  /** Whether the folder has been written. */
  static boolean exists(Path folder) {
    return Files.exists(folder.resolve(INDEX));
  }

  /** Reads the list of pictures. */
  static PictureFolder read(Path folder) throws IOException {
    try (Reader json = Files.newBufferedReader(folder.resolve(INDEX))) {
      return JsonUtils.GSON.fromJson(json, PictureFolder.class);
    }
  }

  /**
   * Draws pictures into a folder.
   *
   * @param singles how many with one object
   * @param pairs how many with two objects, after the others
   */
  static PictureFolder generate(Path folder, PictureGenerator generator, int singles, int pairs)
      throws IOException {
    Files.createDirectories(folder.resolve("masks"));
    List<Entry> entries = new ArrayList<>();
    for (int i = 0; i < singles + pairs; i++) {
      DrawnPicture picture = i < singles ? generator.picture(i) : generator.pair(i);
      entries.add(write(folder, i, picture));
    }
    PictureFolder written = new PictureFolder(entries);
    written.save(folder);
    return written;
  }

  /** Writes the list of pictures. */
  void save(Path folder) throws IOException {
    Files.writeString(folder.resolve(INDEX), JsonUtils.GSON_PRETTY.toJson(this) + "\n");
  }

  private static Entry write(Path folder, int index, DrawnPicture picture) throws IOException {
    String name =
        picture.objects().stream()
            .map(object -> object.shape().label())
            .collect(Collectors.joining("+", "%04d-".formatted(index), ""));
    ImageIO.write(picture.toImage(), "png", folder.resolve(name + ".png").toFile());
    List<Truth> truth = new ArrayList<>();
    for (PictureObject object : picture.objects()) {
      String label = object.shape().label();
      String mask = "masks/%04d-%s.png".formatted(index, label);
      ImageIO.write(toImage(object.mask()), "png", folder.resolve(mask).toFile());
      truth.add(new Truth(label, mask));
    }
    return new Entry(name + ".png", picture.sha256(), truth, null, null);
  }

  private static BufferedImage toImage(Mask mask) {
    BufferedImage image =
        new BufferedImage(mask.width(), mask.height(), BufferedImage.TYPE_BYTE_BINARY);
    for (int y = 0; y < mask.height(); y++) {
      for (int x = 0; x < mask.width(); x++) {
        image.setRGB(x, y, mask.contains(x, y) ? 0xffffff : 0);
      }
    }
    return image;
  }
}
