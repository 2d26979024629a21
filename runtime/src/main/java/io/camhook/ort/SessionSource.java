package io.camhook.ort;

import io.camhook.onnx.graph.OnnxException;
import io.camhook.onnx.graph.OnnxModel;
import io.camhook.recording.ModelFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * The source of the model in one of the application's sessions: a file or bytes.
 *
 * @param file null if it came as bytes
 * @param bytes null if it came from a file. The array is the application's own, not a copy
 * @param mark shows whether the file or the array has changed since
 */
record SessionSource(@Nullable Path file, @Nullable ByteBuffer bytes, long mark) {
  /**
   * From the first argument of {@code createSession}.
   *
   * @return null if it is of a type that no known onnxruntime takes
   */
  static @Nullable SessionSource of(Object argument) {
    if (argument instanceof String path) {
      return of(Path.of(path));
    }
    if (argument instanceof byte[] array) {
      return of(ByteBuffer.wrap(array));
    }
    // A buffer may be a mapped file that is unmapped before it is read, which would end the JVM.
    return argument instanceof ByteBuffer buffer ? of(copy(buffer)) : null;
  }

  private static SessionSource of(Path file) {
    return new SessionSource(file, null, mark(file));
  }

  private static SessionSource of(ByteBuffer bytes) {
    return new SessionSource(null, bytes, mark(bytes));
  }

  private static long mark(Path file) {
    try {
      return Files.getLastModifiedTime(file).toMillis() * 31 + Files.size(file);
    } catch (IOException e) {
      return 0; // onnxruntime will report it
    }
  }

  private static long mark(ByteBuffer bytes) {
    CRC32C sum = new CRC32C();
    sum.update(bytes.duplicate());
    return sum.getValue();
  }

  private static ByteBuffer copy(ByteBuffer buffer) {
    ByteBuffer copy = ByteBuffer.allocate(buffer.remaining());
    copy.put(buffer.duplicate());
    return copy.flip();
  }

  /**
   * Reads the model.
   *
   * @throws OnnxException if it cannot be read, or is not the model of the session, with the reason
   */
  OnnxModel read() throws IOException {
    ByteBuffer given = bytes;
    if (file != null && mark == mark(file)) {
      return OnnxModel.read(file);
    }
    if (given != null && mark == mark(given)) {
      return OnnxModel.parse(given);
    }
    throw new OnnxException("it was changed after the application had loaded it");
  }

  /** The file in its current state; null for bytes. */
  @Nullable ModelFile modelFile() {
    return file == null ? null : ModelFile.of(file);
  }

  /** SHA-256 of the bytes, which takes a second for 300 MB; null for a file, or if they changed. */
  @Nullable String sha256() {
    ByteBuffer given = bytes;
    return given == null || mark != mark(given) ? null : ModelFile.sha256(given);
  }

  /** The folder of files with weights; null for bytes. */
  @Nullable Path folder() {
    return file == null ? null : file.toAbsolutePath().getParent();
  }

  /** The file's name; empty for bytes. */
  String name() {
    return file == null || file.getFileName() == null ? "" : file.getFileName().toString();
  }

  @Override
  public String toString() {
    return file == null ? "a model of bytes" : file.toString();
  }
}
