package io.camhook.agent.links;

import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import net.bytebuddy.jar.asm.ClassReader;
import net.bytebuddy.jar.asm.ClassVisitor;
import net.bytebuddy.jar.asm.FieldVisitor;
import net.bytebuddy.jar.asm.MethodVisitor;
import net.bytebuddy.jar.asm.Opcodes;
import net.bytebuddy.utility.OpenedClassReader;
import org.jspecify.annotations.Nullable;

/** The class files that a class loader sees, without loading them as classes. */
final class SeenClasses {
  /**
   * @param members name and descriptor of each, separated by a space
   * @param parents superclass and interfaces
   */
  private record Shape(boolean exists, Set<String> members, List<String> parents) {
    static final Shape NONE = new Shape(false, Set.of(), List.of());
  }

  private final ClassLoader loader;
  private final Map<String, Shape> known = new HashMap<>();

  SeenClasses(ClassLoader loader) {
    this.loader = loader;
  }

  /** Whether there is a class of that internal name. */
  boolean has(String type) {
    return shape(type).exists;
  }

  boolean has(Link link) {
    return link.isToClass()
        ? has(link.owner())
        : has(link.owner(), link.name() + " " + link.descriptor());
  }

  /** Members are found in supertypes too (JVMS 5.4.3). */
  private boolean has(String type, String member) {
    Shape shape = shape(type);
    return shape.members.contains(member)
        || shape.parents.stream().anyMatch(parent -> has(parent, member));
  }

  private Shape shape(String type) {
    Shape shape = known.get(type);
    if (shape == null) {
      shape = read(type);
      known.put(type, shape);
    }
    return shape;
  }

  private Shape read(String type) {
    String file = type + ".class";
    try (InputStream in =
        type.startsWith("java/")
            ? ClassLoader.getSystemResourceAsStream(file)
            : loader.getResourceAsStream(file)) {
      return in == null ? Shape.NONE : read(in.readAllBytes());
    } catch (IOException e) {
      return Shape.NONE;
    }
  }

  private static Shape read(byte[] classFile) {
    ClassReader reader = OpenedClassReader.of(classFile);
    Members members = new Members();
    reader.accept(
        members, ClassReader.SKIP_CODE | ClassReader.SKIP_DEBUG | ClassReader.SKIP_FRAMES);
    List<String> parents = new ArrayList<>(List.of(reader.getInterfaces()));
    String above = reader.getSuperName();
    if (above != null) {
      parents.add(above);
    }
    return new Shape(true, members.found, parents);
  }

  private static final class Members extends ClassVisitor {
    final Set<String> found = new HashSet<>();

    Members() {
      super(OpenedClassReader.ASM_API);
    }

    @Override
    public @Nullable FieldVisitor visitField(
        int access, String name, String descriptor, String signature, Object value) {
      add(access, name, descriptor);
      return null;
    }

    @Override
    public @Nullable MethodVisitor visitMethod(
        int access, String name, String descriptor, String signature, String[] exceptions) {
      add(access, name, descriptor);
      return null;
    }

    private void add(int access, String name, String descriptor) {
      if ((access & Opcodes.ACC_PRIVATE) == 0) {
        found.add(name + " " + descriptor);
      }
    }
  }
}
