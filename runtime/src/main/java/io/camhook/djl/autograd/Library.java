package io.camhook.djl.autograd;

import ai.djl.pytorch.jni.JniUtils;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;

/** DJL's native methods, which only classes of its own package can call. */
final class Library {
  private Library() {}

  /** A native method, to be called with {@code invokeExact} and exactly the given types. */
  static MethodHandle method(String name, Class<?> result, Class<?>... parameters) {
    try {
      Class<?> library =
          Class.forName("ai.djl.pytorch.jni.PyTorchLibrary", true, JniUtils.class.getClassLoader());
      MethodHandles.Lookup lookup = MethodHandles.privateLookupIn(library, MethodHandles.lookup());
      Object lib = lookup.findStaticVarHandle(library, "LIB", library).get();
      return lookup
          .findVirtual(library, name, MethodType.methodType(result, parameters))
          .bindTo(lib);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  /** Rethrows what a native method threw, unchanged. */
  static RuntimeException thrown(Throwable e) {
    if (e instanceof Error error) {
      throw error;
    }
    return e instanceof RuntimeException failure ? failure : new IllegalStateException(e);
  }
}
