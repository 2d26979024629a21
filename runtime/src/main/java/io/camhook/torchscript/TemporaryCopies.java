package io.camhook.torchscript;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.UserPrincipal;
import java.time.Duration;
import java.time.Instant;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Files that hold a copy of a model until the engine has loaded it. The process that creates one
 * deletes it, unless it is killed first. So the name contains the process, and {@link #sweep}
 * deletes the files of processes that no longer exist.
 */
public final class TemporaryCopies {
  private static final String PREFIX = "camhook-";

  /** Namespace of process ids, process id, and its start time, because ids are reused. */
  private static final Pattern NAME = Pattern.compile(PREFIX + "(\\d+)-(\\d+)-(\\d+)-.*");

  /** For processes in other containers, which are not visible here: no load takes this long. */
  private static final Duration LONG = Duration.ofDays(1);

  private TemporaryCopies() {}

  /** A file that nobody else reads. */
  public static Path file(String suffix) throws IOException {
    return Files.createTempFile(prefix(), suffix);
  }

  /** A directory instead, for a file whose name is visible to others. */
  public static Path directory() throws IOException {
    return Files.createTempDirectory(prefix());
  }

  private static String prefix() {
    ProcessHandle own = ProcessHandle.current();
    return PREFIX + namespace() + "-" + own.pid() + "-" + start(own) + "-";
  }

  private static long start(ProcessHandle process) {
    return process.info().startInstant().map(Instant::toEpochMilli).orElse(0L);
  }

  /** 0 if there is none. */
  private static long namespace() {
    try {
      String link = Files.readSymbolicLink(Path.of("/proc/self/ns/pid")).toString();
      return Long.parseLong(link.replaceAll("\\D", ""));
    } catch (IOException | RuntimeException e) {
      return 0;
    }
  }

  /**
   * Deletes the copies of processes that no longer exist.
   *
   * @return how many
   */
  public static int sweep() throws IOException {
    return sweep(Path.of(System.getProperty("java.io.tmpdir")));
  }

  static int sweep(Path folder) throws IOException {
    long namespace = namespace();
    int swept = 0;
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder, PREFIX + "*")) {
      UserPrincipal own = null;
      for (Path entry : entries) {
        Matcher name = NAME.matcher(entry.getFileName().toString());
        if (!name.matches() || !isLeft(entry, name, namespace)) {
          continue;
        }
        own = own == null ? ownUser() : own;
        // The folder may be shared: other people's files are not touched, and links are not
        // followed.
        try {
          if (Files.getOwner(entry, LinkOption.NOFOLLOW_LINKS).equals(own)) {
            delete(entry);
            swept++;
          }
        } catch (NoSuchFileException e) {
          // another process sweeps, too
        }
      }
    }
    return swept;
  }

  private static boolean isLeft(Path entry, Matcher name, long namespace) throws IOException {
    if (Long.parseLong(name.group(1)) != namespace) {
      Instant changed = Files.getLastModifiedTime(entry, LinkOption.NOFOLLOW_LINKS).toInstant();
      return changed.plus(LONG).isBefore(Instant.now());
    }
    long start = Long.parseLong(name.group(3));
    return ProcessHandle.of(Long.parseLong(name.group(2)))
        .filter(process -> start(process) == start)
        .isEmpty();
  }

  private static UserPrincipal ownUser() throws IOException {
    Path probe = file(".tmp");
    try {
      return Files.getOwner(probe);
    } finally {
      Files.delete(probe);
    }
  }

  private static void delete(Path entry) throws IOException {
    if (Files.isDirectory(entry, LinkOption.NOFOLLOW_LINKS)) {
      try (DirectoryStream<Path> files = Files.newDirectoryStream(entry)) {
        for (Path file : files) {
          Files.deleteIfExists(file);
        }
      }
    }
    Files.deleteIfExists(entry);
  }
}
