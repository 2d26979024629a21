import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;

/**
 * Lays out the reference data for the tests: {@code java Assemble.java TO FROM...}. Large files are
 * stored with gzip and unpacked here. The first folder that has a file gives it; the others add what
 * it lacks. A file that is there already stays: delete TO to lay it out anew.
 */
public class Assemble {
  public static void main(String[] args) throws IOException {
    Path to = Path.of(args[0]);
    for (String from : List.of(args).subList(1, args.length)) {
      Path folder = Path.of(from);
      if (Files.isDirectory(folder)) {
        add(folder, to);
      }
    }
  }

  private static void add(Path folder, Path to) throws IOException {
    List<Path> files;
    try (Stream<Path> all = Files.walk(folder)) {
      files = all.filter(Files::isRegularFile).toList();
    }
    for (Path file : files) {
      String name = folder.relativize(file).toString();
      boolean packed = name.endsWith(".gz");
      Path target = to.resolve(packed ? name.substring(0, name.length() - 3) : name);
      if (!Files.exists(target)) {
        Files.createDirectories(target.getParent());
        write(file, packed, target);
      }
    }
  }

  /** Under another name first: a build that was ended in the middle leaves no half of a file. */
  private static void write(Path file, boolean packed, Path target) throws IOException {
    Path half = target.resolveSibling(target.getFileName() + ".part");
    try (InputStream in = Files.newInputStream(file)) {
      Files.copy(packed ? new GZIPInputStream(in) : in, half, StandardCopyOption.REPLACE_EXISTING);
    }
    Files.move(half, target, StandardCopyOption.ATOMIC_MOVE);
  }
}
