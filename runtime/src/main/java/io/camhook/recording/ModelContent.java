package io.camhook.recording;

import java.io.IOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/** What a model's hash is made of: its file, or its parameters. */
public interface ModelContent extends AutoCloseable {
  /** Called after each part that was read, so that a reader can yield to other threads. */
  @FunctionalInterface
  interface Pace {
    void part() throws InterruptedException;
  }

  /** Its name in messages: "file", "parameters". */
  String what();

  /** Number of bytes. */
  long size();

  /**
   * Reads everything; that takes a few seconds per gigabyte.
   *
   * @return its SHA-256 in hexadecimal
   * @throws IOException if it cannot be read, or was changed
   */
  String sha256(Pace pace) throws IOException, InterruptedException;

  /** The model with this hash. */
  ModelInfo hashed(ModelInfo model, String sha256);

  /** Frees what is held for the hash. */
  @Override
  default void close() {}

  /** A new SHA-256. */
  static MessageDigest digest() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
