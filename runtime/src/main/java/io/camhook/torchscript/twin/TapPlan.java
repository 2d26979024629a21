package io.camhook.torchscript.twin;

import io.camhook.torchscript.flow.GlobalAverage;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The methods that were added to an archive for captures, and how to read their results.
 *
 * <p>{@link #forwardMethod}, {@link #recordMethod} and {@link #untilMethod} take the inputs of
 * {@code forward}. They return {@code (result, taps, labels)}, the last one {@code (taps, labels)}:
 * a {@code List[Tensor]} and a string that {@link #labels} parses, one label per tensor.
 *
 * @param forwardMethod runs the model with a cut at the first tap, so that gradients with respect
 *     to it can be computed; needs grad mode on
 * @param headMethod takes the inputs of {@code forward} and runs the model up to a point before the
 *     first tap that all data passes through and before which no gradient is needed; returns a
 *     tensor; null if there is no such point
 * @param gradientMethod takes the classes to explain, a {@code List[int]} (one for all samples,
 *     none for each sample's best), before the result of {@code headMethod} (or the inputs if that
 *     is null), runs the rest of the model and differentiates its scores as {@link
 *     GradientFunction} describes; needs grad mode on; null if the model does not return one
 *     tensor, or nothing is recorded
 * @param averagedMethod takes the classes before the inputs of {@code forward} and needs no
 *     autograd, because the only thing recorded goes through global average pooling into the last
 *     linear layer ({@link GlobalAverage}); its result is described at {@link
 *     GradientFunction#averaged}: it returns nothing, and runs nothing, while a module on that path
 *     is in training mode; null for other models
 * @param averagedWeight name of the weight of the linear layer after that pooling, {@code
 *     fc.weight}; null if {@code averagedMethod} is null, if a convolution computes the scores, or
 *     if the archive does not name the weight
 * @param recordMethod runs the model and records, without touching autograd
 * @param untilMethod records, and stops as soon as the last tap has its value
 * @param taps every place that records, in order of first completion
 * @param resumeMethods by path: a method {@code (Tensor) -> result} that runs what comes after the
 *     module, for modules that all data passes through once
 * @param replaceMethods by path: a method {@code (Tensor, inputs of forward …) -> result} that runs
 *     the model with what the module returns replaced, for modules that are called from one place
 * @param notices what was requested but is not available, and why
 */
public record TapPlan(
    String forwardMethod,
    @Nullable String headMethod,
    @Nullable String gradientMethod,
    @Nullable String averagedMethod,
    @Nullable String averagedWeight,
    String recordMethod,
    String untilMethod,
    List<Tap> taps,
    Map<String, String> resumeMethods,
    Map<String, String> replaceMethods,
    List<String> notices) {

  /**
   * A place that records.
   *
   * @param site its number in labels
   * @param path the module's path, or the name of the operator's value, {@code relu#7}
   * @param type the module's Python type, or the operator
   * @param firstCall 7 for an operator's value named {@code relu#7}; 0 for others
   */
  public record Tap(int site, String path, String type, int firstCall) {
    /** The name of one recorded tensor, of the run {@code call} of this place in the pass. */
    Label label(int call, String key) {
      return Label.of(path, firstCall, call, key);
    }
  }

  /**
   * Name of one recorded tensor.
   *
   * @param path module path; {@code .} for the root
   * @param call which call of the module in this pass, from 0
   * @param key which element of a tuple, list or dict, e.g. {@code 1.0} or {@code out}; empty for a
   *     plain tensor
   * @param blocked whether a gradient was wanted and the value is in oneDNN's blocked layout, which
   *     has no gradients
   */
  public record Label(String path, int call, String key, boolean blocked) {
    public Label(String path, int call, String key) {
      this(path, call, key, false);
    }

    /**
     * The name of a tensor of an operator's value or a module's result.
     *
     * @param path {@code relu#7}, where {@code firstCall} is 7
     * @param run which run of that place in this pass, from 0
     */
    public static Label of(String path, int firstCall, int run, String key) {
      String count = firstCall == 0 ? "" : "#" + firstCall;
      String name = path.substring(0, path.length() - count.length());
      return new Label(name, firstCall + run, key);
    }

    /** {@code path}, {@code path#1}, {@code path:key}, {@code path#1:key}. */
    @Override
    public String toString() {
      return path + (call == 0 ? "" : "#" + call) + (key.isEmpty() ? "" : ":" + key);
    }
  }

  public TapPlan {
    taps = List.copyOf(taps);
    resumeMethods = Map.copyOf(new LinkedHashMap<>(resumeMethods));
    replaceMethods = Map.copyOf(replaceMethods);
    notices = List.copyOf(notices);
  }

  /** A notice for the user about layers of which a {@linkplain Label#blocked value} is blocked. */
  public static String describeBlocked(Collection<?> layers) {
    String names =
        String.join(", ", layers.stream().map(layer -> "'" + layer + "'").sorted().toList());
    return "layer %s has oneDNN's blocked layout, which the code makes between to_mkldnn and to_dense: its value is recorded, its gradient cannot be computed; name a layer before or after these"
        .formatted(names);
  }

  /** The names of the recorded tensors, in their order. */
  public List<Label> labels(String labels) {
    List<Label> result = new ArrayList<>();
    Map<String, Integer> calls = new HashMap<>();
    if (labels.isEmpty()) {
      return result;
    }
    for (String label : labels.split("\n", -1)) {
      int digits = 0;
      while (digits < label.length() && Character.isDigit(label.charAt(digits))) {
        digits++;
      }
      Tap tap = taps.get(Integer.parseInt(label, 0, digits, 10));
      String path = tap.path();
      boolean blocked = label.endsWith(TapStyle.BLOCKED);
      String rest = label.substring(digits, label.length() - (blocked ? 1 : 0));
      if (!rest.startsWith(".")) {
        calls.merge(path, 1, Integer::sum);
      }
      if (!rest.equals("!")) {
        int call = calls.getOrDefault(path, 1) - 1;
        Label name = tap.label(call, rest.isEmpty() ? "" : rest.substring(1));
        result.add(new Label(name.path(), name.call(), name.key(), blocked));
      }
    }
    return result;
  }

  /** The method that runs what comes after a module, if all data passes through it. */
  public Optional<String> resumeMethod(String path) {
    return Optional.ofNullable(resumeMethods.get(path));
  }

  /** The method that runs the model with what a module returns replaced, if there is one. */
  public Optional<String> replaceMethod(String path) {
    return Optional.ofNullable(replaceMethods.get(path));
  }
}
