package io.camhook.recording;

import io.camhook.config.CamhookConfig.Permissions;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Creates the files of a recording: sets who may read them, and follows no symbolic link inside the
 * recording's directory. The path to the directory itself may contain links. Immutable.
 */
public final class FileAccess {
  private final Permissions permissions;

  public FileAccess(Permissions permissions) {
    this.permissions = permissions;
  }

  /** Makes a directory, with those above it that are missing. */
  public void createDirectories(Path directory) throws IOException {
    if (Files.isDirectory(directory)) {
      return;
    }
    Files.createDirectories(directory, attributes(directory, "rwx------"));
  }

  /**
   * Opens a file of a recording for writing.
   *
   * @throws IOException if there is a symbolic link of that name, or it cannot be opened
   */
  public FileChannel open(Path file, OpenOption... options) throws IOException {
    Set<OpenOption> all = new HashSet<>(List.of(options));
    all.add(LinkOption.NOFOLLOW_LINKS);
    try {
      return FileChannel.open(file, all, attributes(file, "rw-------"));
    } catch (FileSystemException e) {
      if (Files.isSymbolicLink(file)) {
        throw RecordingException.at(
            file.toString(), "a file of the recording", "a symbolic link, which is not followed");
      }
      throw e;
    }
  }

  /** The current attributes of {@code file}, without following links; null if it does not exist. */
  static @Nullable BasicFileAttributes attributes(Path file) {
    try {
      return Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
    } catch (IOException e) {
      return null; // gone or not accessible: either way a reader does not find it
    }
  }

  private FileAttribute<?>[] attributes(Path path, String mode) {
    return permissions == Permissions.OWNER
            && path.getFileSystem().supportedFileAttributeViews().contains("posix")
        ? new FileAttribute<?>[] {
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(mode))
        }
        : new FileAttribute<?>[0];
  }
}
