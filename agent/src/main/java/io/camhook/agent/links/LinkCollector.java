package io.camhook.agent.links;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import net.bytebuddy.jar.asm.ClassReader;
import net.bytebuddy.utility.OpenedClassReader;

/** Run by the build: lists everything that an adapter links to. */
public final class LinkCollector {
  // tags of the constant pool (JVMS 4.4)
  private static final int CLASS = 7;
  private static final int FIELD = 9;
  private static final int METHOD = 10;
  private static final int INTERFACE_METHOD = 11;

  private LinkCollector() {}

  /**
   * Writes the list.
   *
   * @param arguments package of the adapter and of its engine, both with slashes and a slash at the
   *     end, and the file to write
   */
  public static void main(String[] arguments) throws IOException, URISyntaxException {
    Path file = Path.of(arguments[2]);
    Files.createDirectories(file.getParent());
    String lines =
        collect(arguments[0], arguments[1]).stream()
            .map(link -> link.line() + "\n")
            .collect(Collectors.joining());
    Files.writeString(file, lines, UTF_8);
  }

  /** The links from the classes of one package, and of those below it, to another. */
  static Set<Link> collect(String adapter, String engine) throws IOException, URISyntaxException {
    URL place = LinkCollector.class.getClassLoader().getResource(adapter);
    if (place == null) {
      throw new IOException("no package " + adapter + " on the class path");
    }
    URI uri = place.toURI();
    if (!uri.getScheme().equals("jar")) {
      return collect(Path.of(uri), engine);
    }
    try (FileSystem jar = FileSystems.newFileSystem(uri, Map.of())) {
      return collect(jar.getPath(adapter), engine);
    }
  }

  private static Set<Link> collect(Path folder, String engine) throws IOException {
    List<Path> classFiles;
    try (Stream<Path> files = Files.walk(folder)) {
      classFiles = files.filter(file -> file.toString().endsWith(".class")).toList();
    }
    if (classFiles.isEmpty()) {
      throw new IOException("no classes in " + folder);
    }
    Set<Link> links = new TreeSet<>();
    for (Path file : classFiles) {
      collect(Files.readAllBytes(file), engine, links);
    }
    return links;
  }

  /** Everything that a class links to is in its constant pool. */
  private static void collect(byte[] classFile, String engine, Set<Link> links) {
    ClassReader reader = OpenedClassReader.of(classFile);
    char[] buffer = new char[reader.getMaxStringLength()];
    for (int i = 1; i < reader.getItemCount(); i++) {
      int at = reader.getItem(i);
      if (at == 0) {
        continue; // the second half of a long or double
      }
      switch (reader.readByte(at - 1)) {
        case CLASS -> {
          String type = reader.readUTF8(at, buffer);
          if (type.startsWith(engine)) {
            links.add(Link.toClass(type));
          }
        }
        case FIELD, METHOD, INTERFACE_METHOD -> {
          String owner = reader.readClass(at, buffer);
          int nameAndType = reader.getItem(reader.readUnsignedShort(at + 2));
          if (owner.startsWith(engine)) {
            links.add(
                new Link(
                    owner,
                    reader.readUTF8(nameAndType, buffer),
                    reader.readUTF8(nameAndType + 2, buffer)));
          }
        }
        default -> {}
      }
    }
  }
}
