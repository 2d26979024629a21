package io.camhook.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.camhook.render.Picture;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import javax.imageio.ImageIO;
import org.jspecify.annotations.Nullable;

/**
 * The true content of pictures, from a {@code pictures.json} beside them: {@code {"pictures":
 * [{"file": …, "sha256": of the RGB bytes, "objects": [{"class": …, "mask": PNG, white
 * inside}]}]}}. A recorded picture is recognised by its bytes.
 */
final class GroundTruth {
  private static final GroundTruth NONE = new GroundTruth(Path.of("."), Map.of());

  private final Path folder;
  private final Map<String, Entry> bySha256;

  /**
   * One picture.
   *
   * @param file its name
   * @param objects the objects in it
   */
  record Entry(String file, List<TruthObject> objects) {}

  /**
   * An object.
   *
   * @param label its class
   * @param mask the file with its mask, relative to the folder
   */
  record TruthObject(String label, String mask) {}

  /**
   * A mask in memory.
   *
   * @param label class of the object
   * @param width in pixels
   * @param height in pixels
   * @param inside row-major
   */
  record Mask(String label, int width, int height, boolean[] inside) {}

  private GroundTruth(Path folder, Map<String, Entry> bySha256) {
    this.folder = folder;
    this.bySha256 = bySha256;
  }

  /** Reads a {@code pictures.json}; null gives an empty one. */
  static GroundTruth read(@Nullable Path file) throws IOException {
    if (file == null) {
      return NONE;
    }
    JsonNode root;
    try {
      root = new ObjectMapper().readTree(Files.readAllBytes(file));
    } catch (JsonProcessingException e) {
      throw new CommandFailure(file + ": not JSON: " + e.getOriginalMessage());
    }
    Map<String, Entry> entries = new HashMap<>();
    for (JsonNode picture : root.path("pictures")) {
      List<TruthObject> objects = new ArrayList<>();
      for (JsonNode object : picture.path("objects")) {
        objects.add(new TruthObject(object.path("class").asText(), object.path("mask").asText()));
      }
      entries.put(
          picture.path("sha256").asText(), new Entry(picture.path("file").asText(), objects));
    }
    if (entries.isEmpty()) {
      throw new CommandFailure(file + ": expected a list \"pictures\", found none or an empty one");
    }
    return new GroundTruth(file.resolveSibling("."), entries);
  }

  /** The truth about a picture, if known. */
  Optional<Entry> of(@Nullable Picture picture) {
    if (picture == null || bySha256.isEmpty()) {
      return Optional.empty();
    }
    return Optional.ofNullable(bySha256.get(sha256(picture.rgb())));
  }

  /** The mask of an object. */
  Mask mask(TruthObject object) throws IOException {
    Path file = folder.resolve(object.mask());
    BufferedImage image = ImageIO.read(file.toFile());
    if (image == null) {
      throw new CommandFailure(file + ": expected a picture with a mask");
    }
    int width = image.getWidth();
    int height = image.getHeight();
    boolean[] inside = new boolean[width * height];
    for (int i = 0; i < inside.length; i++) {
      inside[i] = (image.getRGB(i % width, i / width) & 0xff) > 127;
    }
    return new Mask(object.label(), width, height, inside);
  }

  private static String sha256(byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java runtime has SHA-256", e);
    }
  }
}
