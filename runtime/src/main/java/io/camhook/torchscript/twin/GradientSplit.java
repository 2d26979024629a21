package io.camhook.torchscript.twin;

import io.camhook.torchscript.flow.CallPaths;
import io.camhook.torchscript.flow.CallSite;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Splits a pass with gradients so that as little of it as possible runs under autograd. The part
 * before the first tap needs none: if all data passes through one call there, the model up to the
 * result of that call becomes a separate method (the head), which runs in inference mode like
 * {@code forward}. If the model ends with a linear layer, the gradient of a class score with
 * respect to that layer's input is a row of its weight (∂(Wx+b)ₖ/∂x = Wₖ), so the differentiated
 * part ends before that layer.
 *
 * @param head the root's method that computes the result of the call; null if there is no such call
 * @param body the root's method that continues from there, or from the inputs; null if it is the
 *     twin of {@code forward}
 * @param endsBeforeLinear whether {@code body} returns the argument of the linear layer, not the
 *     result of the model
 * @param methods all methods to add, in order
 */
record GradientSplit(
    @Nullable String head,
    @Nullable String body,
    boolean endsBeforeLinear,
    List<SpanWriter.Method> methods) {

  /** How many places are tried: each requires a scan of the whole method. */
  private static final int MOST = 200;

  /**
   * Looks for the best one.
   *
   * @param prefix begins every added name
   * @param linear the calls from the root to the linear layer; null if the model does not end with
   *     one, or if a tap comes after its argument
   * @param inside how the taps get into the methods
   */
  static GradientSplit of(
      String prefix,
      CallPaths ways,
      TapSites sites,
      @Nullable List<CallSite> linear,
      SpanWriter.Inside inside) {
    for (CallSite call : beforeTaps(ways, sites, linear)) {
      List<CallSite> start = ways.to(call);
      Map<String, SpanWriter.Method> head =
          start == null ? null : SpanWriter.to(prefix + "_head", start);
      if (start == null || head == null) {
        continue;
      }
      String name = prefix + "_tail";
      Map<String, SpanWriter.Method> tail =
          linear == null
              ? SpanWriter.from(name, start, inside)
              : SpanWriter.between(name, start, linear, inside);
      if (tail != null) {
        List<SpanWriter.Method> methods = new ArrayList<>(head.values());
        methods.addAll(tail.values());
        return new GradientSplit(prefix + "_head", name, linear != null, methods);
      }
    }
    String name = prefix + "_features";
    Map<String, SpanWriter.Method> features =
        linear == null ? null : SpanWriter.between(name, List.of(), linear, inside);
    return features == null
        ? new GradientSplit(null, null, false, List.of())
        : new GradientSplit(null, name, true, List.copyOf(features.values()));
  }

  /** Up to {@link #MOST} calls that have completed when the first tap has, the latest first. */
  private static List<CallSite> beforeTaps(
      CallPaths ways, TapSites sites, @Nullable List<CallSite> linear) {
    CallSite last = linear == null ? null : linear.get(linear.size() - 1);
    boolean flat = ways.completed().stream().allMatch(CallSite::isOperator);
    List<CallSite> calls = new ArrayList<>();
    for (CallSite call : ways.completed()) {
      if (call == last) {
        break;
      }
      boolean tap = sites.number(call) != null;
      if (call.isForward() || tap || (call.isOperator() && flat)) {
        calls.add(call);
      }
      if (tap) {
        break;
      }
    }
    Collections.reverse(calls);
    return calls.subList(0, Math.min(calls.size(), MOST));
  }
}
