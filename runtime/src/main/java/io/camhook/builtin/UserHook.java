package io.camhook.builtin;

import io.camhook.dispatch.HookKind;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Modifier;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Creates one of the application's hooks from its class name. */
public final class UserHook {
  private UserHook() {}

  /** Why a hook is not available, as a message for the user. */
  public static final class UnusableException extends Exception {
    UnusableException(String message) {
      super(message);
    }
  }

  /**
   * An instance of the class, found through the first of the loaders that has it.
   *
   * @param options the entry's other keys, given to a constructor that takes a map
   * @throws UnusableException if there is no such class or it is no hook
   */
  public static Object load(String name, Map<String, String> options, List<ClassLoader> loaders)
      throws UnusableException {
    Class<?> type = find(name, loaders);
    if (HookKind.ofModules().stream().noneMatch(kind -> kind.type().isAssignableFrom(type))) {
      throw new UnusableException(
          "hook %s: expected a class that implements io.camhook.%s, found %s"
              .formatted(name, HookKind.types(), describe(type)));
    }
    if (Modifier.isAbstract(type.getModifiers())) {
      throw new UnusableException(
          "hook %s: expected a class that can be instantiated, found %s"
              .formatted(name, describe(type)));
    }
    try {
      return instance(type, options);
    } catch (NoSuchMethodException e) {
      throw new UnusableException(
          "hook %s: expected a constructor without arguments or with one Map, found %s"
              .formatted(name, Arrays.toString(type.getDeclaredConstructors())));
    } catch (InvocationTargetException e) {
      throw new UnusableException(
          "hook %s: its constructor threw %s".formatted(name, e.getCause()));
    } catch (ReflectiveOperationException | RuntimeException e) {
      throw new UnusableException("hook %s cannot be made: %s".formatted(name, e));
    }
  }

  private static Class<?> find(String name, List<ClassLoader> loaders) throws UnusableException {
    Set<String> failures = new LinkedHashSet<>();
    for (ClassLoader loader : loaders) {
      try {
        return Class.forName(name, true, loader);
      } catch (ClassNotFoundException e) {
        failures.add("no such class in " + loader);
      } catch (LinkageError e) {
        failures.add(e.toString());
      }
    }
    throw new UnusableException(
        "hook %s: expected a class of the application's, found %s"
            .formatted(name, String.join("; ", failures)));
  }

  private static Object instance(Class<?> type, Map<String, String> options)
      throws ReflectiveOperationException {
    try {
      Constructor<?> constructor = type.getDeclaredConstructor(Map.class);
      constructor.setAccessible(true);
      return constructor.newInstance(options);
    } catch (NoSuchMethodException e) {
      Constructor<?> constructor = type.getDeclaredConstructor();
      constructor.setAccessible(true);
      return constructor.newInstance();
    }
  }

  private static String describe(Class<?> type) {
    Set<String> interfaces = new LinkedHashSet<>();
    for (Class<?> c = type; c != null; c = c.getSuperclass()) {
      for (Class<?> implemented : c.getInterfaces()) {
        boolean copy =
            HookKind.ofModules().stream()
                .anyMatch(kind -> kind.type().getName().equals(implemented.getName()));
        interfaces.add(
            implemented.getName()
                + (copy ? " of another copy of camhook, in " + implemented.getClassLoader() : ""));
      }
    }
    String kind = Modifier.isAbstract(type.getModifiers()) ? "an abstract type" : "a class";
    return kind
        + (interfaces.isEmpty()
            ? " that implements nothing"
            : " that implements " + String.join(", ", interfaces));
  }
}
