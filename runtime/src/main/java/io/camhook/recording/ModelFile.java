package io.camhook.recording;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
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
public record ModelFile(Path path, long size, long modified) {
  /** Number of bytes that a hash reads at a time. */
  public static final int CHUNK = 1 << 20;

  /** Called after each chunk, so that a reader can yield to other threads. */
  @FunctionalInterface
  public interface Pace {
    void chunk() throws InterruptedException;
  }

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

  /**
   * Reads the file; that takes some seconds a gigabyte.
   *
   * @return its SHA-256 in hexadecimal
   * @throws IOException if it cannot be read, or is not what was loaded any more
   */
  public String sha256(Pace pace) throws IOException, InterruptedException {
    MessageDigest digest = digest();
    ByteBuffer chunk = ByteBuffer.allocate((int) Math.max(1, Math.min(CHUNK, size)));
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      while (channel.read(chunk) >= 0) {
        if (!chunk.hasRemaining()) {
          digest.update(chunk.flip());
          chunk.clear();
          pace.chunk();
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
    MessageDigest digest = digest();
    digest.update(bytes.duplicate());
    return HexFormat.of().formatHex(digest.digest());
  }

  private static MessageDigest digest() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
