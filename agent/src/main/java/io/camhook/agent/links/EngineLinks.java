package io.camhook.agent.links;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.stream.Stream;

/** The classes and members of its engine that an adapter links to. */
public final class EngineLinks {
  private static final String FOLDER = "/META-INF/camhook/";

  private final List<Link> links;

  private EngineLinks(List<Link> links) {
    this.links = links;
  }

  /** What the DJL adapter links to, as recorded by {@link LinkCollector}. */
  public static EngineLinks djl() throws IOException {
    return read("djl.links");
  }

  /** What the adapter to onnxruntime links to. */
  public static EngineLinks ort() throws IOException {
    return read("ort.links");
  }

  private static EngineLinks read(String name) throws IOException {
    try (InputStream in = EngineLinks.class.getResourceAsStream(FOLDER + name)) {
      if (in == null) {
        throw new FileNotFoundException("the agent jar has no " + FOLDER + name);
      }
      return new EngineLinks(
          new String(in.readAllBytes(), UTF_8).lines().map(Link::parse).toList());
    }
  }

  /** With others, in the form of the list: owner, name and descriptor of a member. */
  public EngineLinks and(List<String> lines) {
    return new EngineLinks(
        Stream.concat(links.stream(), lines.stream().map(Link::parse)).distinct().toList());
  }

  /**
   * The missing classes and members, as messages.
   *
   * @param loader sees the engine
   */
  public List<String> missingIn(ClassLoader loader) {
    SeenClasses seen = new SeenClasses(loader);
    return links.stream().filter(link -> !seen.has(link)).map(Link::toString).toList();
  }

  /**
   * The same if a part of the engine is optional.
   *
   * @param loader sees the engine
   * @param optional optional package, with slashes: its members count as missing only if its class
   *     {@code marker} exists
   */
  public List<String> missingIn(ClassLoader loader, String optional, String marker) {
    SeenClasses seen = new SeenClasses(loader);
    boolean whole = seen.has(marker);
    return links.stream()
        .filter(link -> whole || !link.owner().startsWith(optional))
        .filter(link -> !seen.has(link))
        .map(Link::toString)
        .toList();
  }
}
