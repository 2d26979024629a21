package io.camhook.agent.links;

import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.Collectors;
import net.bytebuddy.jar.asm.Type;

/**
 * A symbolic reference of a class file (JVMS 5.1).
 *
 * @param owner internal name of the linked class
 * @param name of its method or field; empty for the class itself
 * @param descriptor of the method or field; empty for the class itself
 */
record Link(String owner, String name, String descriptor) implements Comparable<Link> {
  private static final Comparator<Link> ORDER =
      Comparator.comparing(Link::owner).thenComparing(Link::name).thenComparing(Link::descriptor);

  static Link toClass(String owner) {
    return new Link(owner, "", "");
  }

  /** Reads {@link #line}. */
  static Link parse(String line) {
    String[] parts = line.split(" ");
    return parts.length == 1 ? toClass(parts[0]) : new Link(parts[0], parts[1], parts[2]);
  }

  boolean isToClass() {
    return name.isEmpty();
  }

  String line() {
    return isToClass() ? owner : owner + " " + name + " " + descriptor;
  }

  @Override
  public int compareTo(Link other) {
    return ORDER.compare(this, other);
  }

  /** In the form that people write: {@code Trainer.forward(NDList)}. */
  @Override
  public String toString() {
    String type = simpleName(owner);
    if (isToClass()) {
      return type;
    }
    if (!descriptor.startsWith("(")) {
      return type + "." + name;
    }
    return Arrays.stream(Type.getArgumentTypes(descriptor))
        .map(parameter -> simpleName(parameter.getClassName()))
        .collect(Collectors.joining(", ", type + "." + name + "(", ")"));
  }

  private static String simpleName(String type) {
    return type.substring(Math.max(type.lastIndexOf('/'), type.lastIndexOf('.')) + 1);
  }
}
