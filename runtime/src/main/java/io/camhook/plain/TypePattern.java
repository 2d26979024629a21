package io.camhook.plain;

import io.camhook.naming.Glob;
import java.util.Arrays;

/**
 * Matches classes against a name or glob in the configuration: classes with that name, their
 * subtypes, and classes that have or inherit an annotation with that name. Thread-safe.
 */
public final class TypePattern {
  private final Glob names;
  private final ClassValue<Boolean> known =
      new ClassValue<>() {
        @Override
        protected Boolean computeValue(Class<?> type) {
          return describes(type);
        }
      };

  public TypePattern(String pattern) {
    this.names = new Glob(pattern);
  }

  /**
   * Whether a loaded class is meant.
   *
   * @throws LinkageError if something above it is missing; then it cannot run either
   */
  public boolean matches(Class<?> type) {
    return known.get(type);
  }

  private boolean describes(Class<?> type) {
    if (names.matches(type.getName())
        || Arrays.stream(type.getDeclaredAnnotations())
            .anyMatch(annotation -> names.matches(annotation.annotationType().getName()))) {
      return true;
    }
    Class<?> parent = type.getSuperclass();
    return (parent != null && parent != Object.class && describes(parent))
        || Arrays.stream(type.getInterfaces()).anyMatch(this::describes);
  }
}
