package io.camhook.torchscript.archive;

import java.io.IOException;

/**
 * A TorchScript archive could not be read or instrumented. The message names the file, what was
 * expected, what was found and, if there is one, a remedy.
 */
public final class ArchiveException extends IOException {
  private static final long serialVersionUID = 1L;

  /** Creates the exception with a complete sentence for the user. */
  public ArchiveException(String message) {
    super(message);
  }

  /** Creates the exception with a complete sentence for the user, and its cause. */
  public ArchiveException(String message, Throwable cause) {
    super(message, cause);
  }
}
