package io.camhook.plain;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.Arrays;
import java.util.List;

/**
 * A backward pass that camhook runs on the application's network to get ∂score/∂A. It leaves the
 * network unchanged: see {@link StateSnapshot}.
 */
final class OwnBackward {
  private final HookedNetwork network;
  private final LayerGradients gradients;

  /**
   * @param gradients takes the gradients
   */
  OwnBackward(HookedNetwork network, LayerGradients gradients) {
    this.network = network;
    this.gradients = gradients;
  }

  /**
   * Runs the root's backward.
   *
   * @param output what its forward returned
   * @param seed ∂score/∂output
   * @throws IllegalArgumentException if its backward cannot be called with that alone
   * @throws IllegalStateException if its backward threw
   */
  void run(Object root, Object output, float[] seed, ThreadCalls thread) {
    Object gradient = network.rootTensors().like(output, seed);
    Method backward = method(root.getClass(), gradient);
    try (SavedState state = thread.networks().note(List.of(root), network::isOwn)) {
      thread.ownBackward(gradients);
      backward.invoke(root, gradient);
    } catch (IllegalAccessException e) {
      throw new IllegalStateException(backward + " cannot be called", e);
    } catch (InvocationTargetException e) {
      throw new IllegalStateException(backward + " threw " + e.getCause(), e.getCause());
    } finally {
      thread.ownBackward(null);
    }
  }

  private Method method(Class<?> type, Object gradient) {
    String wantedName = String.valueOf(network.rootMethods().backward());
    Signature signature = Signature.parse(wantedName);
    for (Class<?> c = type; c != null; c = c.getSuperclass()) {
      for (Method method : c.getDeclaredMethods()) {
        if (isCallable(method, signature, gradient) && method.trySetAccessible()) {
          return method;
        }
      }
    }
    for (Method method : type.getMethods()) {
      if (isCallable(method, signature, gradient) && method.trySetAccessible()) {
        return method;
      }
    }
    throw new IllegalArgumentException(
        "expected in %s a method %s that takes the output's gradient (%s) alone, found none; write"
                .formatted(type.getTypeName(), wantedName, gradient.getClass().getTypeName())
            + " target: none to record activations without gradients");
  }

  private static boolean isCallable(Method method, Signature signature, Object gradient) {
    return !method.isBridge()
        && !Modifier.isStatic(method.getModifiers())
        && !Modifier.isAbstract(method.getModifiers())
        && method.getParameterCount() == 1
        && method.getParameterTypes()[0].isInstance(gradient)
        && signature.matches(
            method.getName(),
            Arrays.stream(method.getParameterTypes()).map(Class::getTypeName).toList());
  }
}
