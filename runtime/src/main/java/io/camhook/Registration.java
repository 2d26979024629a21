package io.camhook;

import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * One registration. Keeps only the names of the module and the hook, so it keeps neither of them
 * alive.
 */
final class Registration implements HookHandle {
  private final String what;
  private final Runnable removal;
  private volatile boolean removed;

  Registration(String kind, Object hook, String of, Runnable removal) {
    this("%s %s of %s".formatted(kind, hook.getClass().getName(), of), removal);
  }

  private Registration(String what, Runnable removal) {
    this.what = what;
    this.removal = removal;
  }

  /** Several under one handle. */
  static HookHandle of(List<HookHandle> handles) {
    String what = handles.stream().map(HookHandle::toString).collect(Collectors.joining(" and "));
    return new Registration(what, () -> handles.forEach(HookHandle::remove));
  }

  /** Rejects null arguments and names them in the message. */
  static void require(
      String hookKind, String owner, @Nullable Object object, @Nullable Object hook) {
    if (object == null) {
      String more =
          owner.equals("module")
              ? ": a child that getChildren().get(name) does not find is null; names of children"
                  + " look like '02Linear', and registering by path, (model, \"features.2\","
                  + " hook), names the closest ones. A hook for all modules is registered with"
                  + " register...ForAllModules"
              : "";
      throw new NullPointerException(
          "%s needs a %s, found null%s".formatted(hookKind, owner, more));
    }
    if (hook == null) {
      throw new NullPointerException(hookKind + " was to be registered, but the hook is null");
    }
  }

  /** A module's class name, with a suffix that distinguishes it from other instances. */
  static String name(Object module) {
    return "%s@%x".formatted(module.getClass().getSimpleName(), System.identityHashCode(module));
  }

  @Override
  public void remove() {
    removal.run();
    removed = true;
  }

  @Override
  public String toString() {
    return what + (removed ? ", removed" : "");
  }
}
