package io.camhook.plain;

import io.camhook.recording.LayerOutput;
import io.camhook.recording.Tensor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A backward that camhook runs on the application's network to get ∂score/∂A. It leaves the network
 * as it was: see {@link StateSnapshot}.
 */
final class OwnBackward {
  private final HookedNetwork network;
  private final Set<LayerOutput> wanted;
  private final Map<String, Integer> remaining;
  private final Map<LayerOutput, Tensor> found = new HashMap<>();

  /**
   * @param wanted layers whose gradient is kept
   * @param calls how often each module was called in the forward
   */
  OwnBackward(HookedNetwork network, Set<LayerOutput> wanted, Map<String, Integer> calls) {
    this.network = network;
    this.wanted = wanted;
    this.remaining = new HashMap<>(calls);
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
    Object gradient = network.tensors().like(output, seed);
    Method backward = method(root.getClass(), gradient);
    StateSnapshot before = StateSnapshot.of(root);
    thread.ownBackward(this);
    try {
      backward.invoke(root, gradient);
    } catch (IllegalAccessException e) {
      throw new IllegalStateException(backward + " cannot be called", e);
    } catch (InvocationTargetException e) {
      throw new IllegalStateException(backward + " threw " + e.getCause(), e.getCause());
    } finally {
      thread.ownBackward(null);
      before.restore();
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

  /** A module's backward begins with ∂score/∂(its output); calls come in reverse order. */
  void gradient(String path, Object module, Object value) {
    @Nullable Integer left = remaining.get(path);
    if (left == null || left == 0) {
      return;
    }
    remaining.put(path, left - 1);
    LayerOutput layer = new LayerOutput(path, left - 1, null);
    if (wanted.contains(layer)) {
      found.put(layer, network.tensors().read(value, module));
    }
  }

  /** The gradients, in the order of the activations. */
  Map<LayerOutput, Tensor> gradients() {
    Map<LayerOutput, Tensor> ordered = new LinkedHashMap<>();
    for (LayerOutput layer : wanted) {
      Tensor gradient = found.get(layer);
      if (gradient != null) {
        ordered.put(layer, gradient);
      }
    }
    return ordered;
  }
}
