package io.camhook.recording;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A shard of a recording: {@code captures-000001.tar} and so on.
 *
 * @param number from 1
 * @param path the file
 */
record ShardFile(int number, Path path) {
  private static final Pattern NAME = Pattern.compile("captures-(\\d{6,9})\\.tar");

  static ShardFile of(Path directory, int number) {
    return new ShardFile(number, directory.resolve(name(number)));
  }

  static String name(int number) {
    String digits = Integer.toString(number); // a formatter would load the JVM's locales
    return "captures-" + "0".repeat(Math.max(0, 6 - digits.length())) + digits + ".tar";
  }

  /** The shards in {@code directory} by number. */
  static List<ShardFile> list(Path directory) throws IOException {
    List<ShardFile> shards = new ArrayList<>();
    try (Stream<Path> files = Files.list(directory)) {
      for (Path file : (Iterable<Path>) files::iterator) {
        Matcher name = NAME.matcher(file.getFileName().toString());
        if (name.matches()) {
          shards.add(new ShardFile(Integer.parseInt(name.group(1)), file));
        }
      }
    }
    shards.sort(Comparator.comparingInt(ShardFile::number));
    return shards;
  }

  /** Bytes of the file; 0 if it is gone. */
  long size() {
    BasicFileAttributes now = FileAccess.attributes(path);
    return now == null ? 0 : now.size();
  }

  /** The first shard after {@code number}, or null if that is the last. */
  static @Nullable ShardFile after(Path directory, int number) throws IOException {
    ShardFile next = of(directory, number + 1);
    if (Files.exists(next.path())) {
      return next;
    }
    return list(directory).stream()
        .filter(shard -> shard.number() > number)
        .findFirst()
        .orElse(null);
  }
}
