package io.camhook.dispatch;

/**
 * Adds the hook's name to the exception when a hook declares other types than it is called with.
 * Generics cannot prevent that because the application chooses {@code M} and {@code T}.
 */
public final class HookTypes {
  private HookTypes() {}

  /**
   * What to throw for {@code thrown}: an exception that names the hook, if its declared types are
   * the cause; otherwise {@code thrown} itself.
   *
   * @param of layer or tensor that it belongs to
   */
  public static RuntimeException named(RuntimeException thrown, HookEntry entry, String of) {
    if (!(thrown instanceof ClassCastException) || !isOfDeclaration(thrown, entry.hook())) {
      return thrown;
    }
    ClassCastException named =
        new ClassCastException(
            "%s %s of %s is declared with other types than it is called with (%s); for DJL these are Block, NDList and NDArray, and io.camhook.djl.BlockHooks checks them when it is compiled"
                .formatted(
                    entry.kind().text(),
                    entry.hook().getClass().getName(),
                    of,
                    thrown.getMessage()));
    named.initCause(thrown);
    return named;
  }

  /**
   * Whether the cast is the one before the hook's own code: a lambda's is in a frame that the JVM
   * hides, a class's in its bridge method, which camhook has called.
   */
  private static boolean isOfDeclaration(RuntimeException thrown, Object hook) {
    StackTraceElement[] frames = thrown.getStackTrace();
    String type = hook.getClass().getName();
    int own = 0;
    while (own < frames.length && frames[own].getClassName().equals(type)) {
      own++;
    }
    return own <= 1 && own < frames.length && isCaller(frames[own].getClassName());
  }

  private static boolean isCaller(String type) {
    return type.equals(HookKind.class.getName()) || type.startsWith("io.camhook.djl.");
  }
}
