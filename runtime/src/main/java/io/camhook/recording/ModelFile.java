package io.camhook.recording;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.security.MessageDigest;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/**
 * The file of a model in its state when the model was loaded; its hash is computed later, on
 * another thread. Immutable.
 *
 * @param path its path
 * @param size in bytes
 * @param modified milliseconds since 1970
 */
public record ModelFile(Path path, long size, long modified) implements ModelContent {
  /** Number of bytes that a hash reads at a time. */
  public static final int CHUNK = 1 << 20;

  /** The file in its current state; null if it cannot be read. */
  public static @Nullable ModelFile of(Path path) {
    try {
      BasicFileAttributes now = Files.readAttributes(path, BasicFileAttributes.class);
      return now.isRegularFile()
          ? new ModelFile(path.toAbsolutePath(), now.size(), now.lastModifiedTime().toMillis())
          : null;
    } catch (IOException e) {
      return null;
    }
  }

  @Override
  public String what() {
    return "file";
  }

  @Override
  public ModelInfo hashed(ModelInfo model, String sha256) {
    return model.hashed(sha256);
  }

  @Override
  public String sha256(Pace pace) throws IOException, InterruptedException {
    MessageDigest digest = ModelContent.digest();
    ByteBuffer chunk = ByteBuffer.allocate((int) Math.max(1, Math.min(CHUNK, size)));
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      while (channel.read(chunk) >= 0) {
        if (!chunk.hasRemaining()) {
          digest.update(chunk.flip());
          chunk.clear();
          pace.part();
        }
      }
    }
    digest.update(chunk.flip());
    if (!equals(of(path))) {
      throw new IOException(path + " was changed after the model had been loaded from it");
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  /** The SHA-256 of bytes, in hexadecimal. */
  public static String sha256(ByteBuffer bytes) {
    MessageDigest digest = ModelContent.digest();
    digest.update(bytes.duplicate());
    return HexFormat.of().formatHex(digest.digest());
  }
}
