package io.camhook.plain;

import io.camhook.config.Place;
import io.camhook.config.PlainNetwork;
import io.camhook.recording.LayerOutput;
import io.camhook.recording.Tensor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/*
 * Many libraries have no backward that starts from a gradient of the network's output: their roots know a loss
 * and a target only. Their layers have one each. Where the layers ran one after another, that is enough: the
 * chain rule goes through them from the last to the first.
 *
 * Whether they did is checked: the input of each layer has the numbers of the output of the one before it (the
 * shape may differ, as between a convolution and a dense layer), and the last output those of the root's. What
 * was run is copied as it comes by, because libraries reuse their buffers and forget inputs.
 */
/** The layers that ran in one forward pass, and the backward pass through them; on one thread. */
final class LayerChain {
  private record Call(
      Object module,
      LayerOutput layer,
      Object inputValue,
      Tensor input,
      Object outputValue,
      Tensor output) {}

  /** A running module. */
  private static final class Open {
    final Object module;
    final @Nullable Object value;
    final @Nullable Tensor input;
    boolean hasInner;

    Open(Object module, @Nullable Object value, @Nullable Tensor input) {
      this.module = module;
      this.value = value;
      this.input = input;
    }
  }

  private final HookedNetwork network;
  private final PlainNetwork.Layerwise recipe;
  private final Deque<Open> open = new ArrayDeque<>();
  private final List<Call> calls = new ArrayList<>();

  LayerChain(HookedNetwork network, PlainNetwork.Layerwise recipe) {
    this.network = network;
    this.recipe = recipe;
  }

  /**
   * A module begins.
   *
   * @param input null if it is not at the configured place
   */
  void begin(Object module, @Nullable Object input) {
    if (!open.isEmpty()) {
      open.peek().hasInner = true;
    }
    Tensor tensor = input == null ? null : network.tensors(module).read(input, null);
    open.push(new Open(module, input, tensor));
  }

  /** A module has ended. A module that ran others is not a layer. */
  void end(Object module, LayerOutput layer, Object value, Tensor output) {
    Open call = null;
    while (!open.isEmpty() && (call == null || call.module != module)) {
      call = open.pop();
    }
    if (call == null || call.module != module || call.hasInner) {
      return;
    }
    if (call.input == null || call.value == null) {
      throw new IllegalArgumentException(
          "backward: by layers needs the input of every layer; there is none at input: of "
              + layer.path());
    }
    calls.add(new Call(module, layer, call.value, call.input, value, output));
  }

  /**
   * Runs backward from the output to the earliest layer whose gradient is wanted.
   *
   * @param output what the root returned
   * @param seed ∂score/∂output
   * @return ∂score/∂A by layer
   * @throws IllegalArgumentException if the layers do not form a chain, or cannot be called
   * @throws IllegalStateException if one of them threw
   */
  Map<LayerOutput, Tensor> gradients(
      Tensor output, float[] seed, Set<LayerOutput> wanted, ThreadCalls thread) {
    int first = first(wanted);
    Map<LayerOutput, Tensor> found = new HashMap<>();
    if (first < 0) {
      return found;
    }
    requireChain(first, output);
    try (SavedState state = thread.networks().note(touched(first), network::isOwn)) {
      thread.ownBackward(new LayerGradients(network, Set.of(), Map.of()));
      float[] gradient = seed;
      for (int i = calls.size() - 1; i >= first; i--) {
        Call call = calls.get(i);
        if (wanted.contains(call.layer)) {
          found.put(call.layer, Tensor.ofFloats(gradient.clone(), call.output.shape()));
        }
        if (i > first) {
          gradient = backward(call, gradient, i == calls.size() - 1);
        }
      }
    } finally {
      thread.ownBackward(null);
    }
    return found;
  }

  private int first(Set<LayerOutput> wanted) {
    for (int i = 0; i < calls.size(); i++) {
      if (wanted.contains(calls.get(i).layer)) {
        return i;
      }
    }
    return -1;
  }

  private void requireChain(int first, Tensor output) {
    Tensor next = output;
    String reader = "the root's output";
    for (int i = calls.size() - 1; i >= first; i--) {
      Call call = calls.get(i);
      if (!Arrays.equals(call.output.toFloats(), next.toFloats())) {
        throw new IllegalArgumentException(
            "backward: by layers is for layers that run one after another, and %s is not the output of %s; write target: none to record activations, or target: loss to record the gradients of the application's own backward"
                .formatted(reader, call.layer.path()));
      }
      next = call.input;
      reader = "the input of " + call.layer.path();
    }
  }

  /** The layers, and where their gradients go in. */
  private List<Object> touched(int first) {
    List<Object> touched = new ArrayList<>();
    for (Call call : calls.subList(first, calls.size())) {
      touched.add(call.module);
      Place place = network.gradOutput(call.module);
      if (place.kind() == Place.Kind.FIELD) {
        Object buffer = network.valueAt(place, call.module, new Object[0], null);
        if (buffer != null) {
          touched.add(buffer);
        }
      }
    }
    return touched;
  }

  /** ∂score/∂(the layer's input). */
  private float[] backward(Call call, float[] gradient, boolean last) {
    TensorAccess tensors = network.tensors(call.module);
    Place input = network.input(call.module);
    if (input.kind() == Place.Kind.FIELD) {
      put(
          input,
          call.module,
          tensors.like(call.inputValue, call.input.toFloats(), call.input.shape()));
    }
    if (last && recipe.lossTarget().kind() == Place.Kind.FIELD) {
      float[] target = call.output.toFloats();
      for (int i = 0; i < target.length; i++) {
        target[i] -= gradient[i];
      }
      put(
          recipe.lossTarget(),
          call.module,
          tensors.like(call.outputValue, target, call.output.shape()));
    }
    Object given = tensors.like(call.outputValue, gradient, call.output.shape());
    Place place = network.gradOutput(call.module);
    if (place.kind() == Place.Kind.FIELD) {
      put(place, call.module, given);
    }
    Method method = method(call.module.getClass());
    Object[] arguments = arguments(method, call, given, place);
    Object result = invoke(method, call.module, arguments);
    Object left = network.valueAt(network.gradInput(call.module), call.module, arguments, result);
    if (left == null) {
      throw new IllegalArgumentException(
          "there is no tensor at gradInput: of %s after %s"
              .formatted(call.layer.path(), method.getName()));
    }
    float[] numbers = tensors.read(left, null).toFloats();
    if (numbers.length != call.input.elements()) {
      throw new IllegalArgumentException(
          "expected %d numbers at gradInput: of %s, as many as its input has; found %d"
              .formatted(call.input.elements(), call.layer.path(), numbers.length));
    }
    return numbers;
  }

  private void put(Place place, Object module, Object tensor) {
    if (place.isWhole()) {
      Member.find(module.getClass(), place.field())
          .orElseThrow(
              () ->
                  new IllegalArgumentException(
                      "expected a field %s in %s, found none"
                          .formatted(place.field(), module.getClass().getTypeName())))
          .set(module, tensor);
      return;
    }
    Object buffer = network.valueAt(place, module, new Object[0], null);
    if (buffer == null) {
      throw new IllegalArgumentException(
          "there is no tensor at %s of %s".formatted(place, module.getClass().getTypeName()));
    }
    network.tensors(module).overwrite(buffer, tensor);
  }

  private Method method(Class<?> type) {
    Signature signature = Signature.parse(String.valueOf(network.layerBackward()));
    for (Class<?> c = type; c != null; c = c.getSuperclass()) {
      for (Method method : c.getDeclaredMethods()) {
        if (!method.isBridge()
            && !Modifier.isStatic(method.getModifiers())
            && !Modifier.isAbstract(method.getModifiers())
            && signature.matches(
                method.getName(),
                Arrays.stream(method.getParameterTypes()).map(Class::getTypeName).toList())
            && method.trySetAccessible()) {
          return method;
        }
      }
    }
    throw new IllegalArgumentException(
        "expected in %s a method %s, found none"
            .formatted(type.getTypeName(), network.layerBackward()));
  }

  private Object[] arguments(Method method, Call call, Object gradient, Place place) {
    Class<?>[] types = method.getParameterTypes();
    Object[] arguments = new Object[types.length];
    boolean[] given = new boolean[types.length];
    if (place.kind() == Place.Kind.ARGUMENT) {
      int index = place.argument();
      for (int i = 0; i < types.length && index < 0; i++) {
        index = types[i].isInstance(gradient) ? i : index;
      }
      if (index < 0 || index >= types.length || !types[index].isInstance(gradient)) {
        throw new IllegalArgumentException(
            "%s: expected a parameter that takes the output's gradient (%s), found none"
                .formatted(method, gradient.getClass().getTypeName()));
      }
      arguments[index] = gradient;
      given[index] = true;
    }
    Place gradInput = network.gradInput(call.module);
    if (gradInput.kind() == Place.Kind.ARGUMENT) {
      for (int i = 0; i < types.length; i++) {
        if (!given[i] && (gradInput.argument() < 0 || gradInput.argument() == i)) {
          arguments[i] =
              network
                  .tensors(call.module)
                  .like(
                      call.inputValue,
                      new float[Math.toIntExact(call.input.elements())],
                      call.input.shape());
          given[i] = true;
          break;
        }
      }
    }
    for (int i = 0; i < types.length; i++) {
      if (!given[i]) {
        arguments[i] = argument(method, types[i], call.module);
      }
    }
    return arguments;
  }

  private @Nullable Object argument(Method method, Class<?> type, Object module) {
    String value = recipe.arguments().get(type.getSimpleName());
    if (value == null) {
      value = recipe.arguments().get(type.getTypeName());
    }
    if (value == null) {
      throw new IllegalArgumentException(
          "%s.%s has a parameter %s that camhook has no value for; name a static field or method under arguments:"
              .formatted(
                  method.getDeclaringClass().getTypeName(),
                  method.getName(),
                  type.getSimpleName()));
    }
    return new StaticMember(value).value(module);
  }

  private static @Nullable Object invoke(Method method, Object module, Object[] arguments) {
    try {
      return method.invoke(module, arguments);
    } catch (IllegalAccessException e) {
      throw new IllegalStateException(method + " cannot be called", e);
    } catch (InvocationTargetException e) {
      throw new IllegalStateException(method + " threw " + e.getCause(), e.getCause());
    }
  }
}
