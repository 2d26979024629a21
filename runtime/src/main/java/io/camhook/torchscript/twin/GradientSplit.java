package io.camhook.torchscript.twin;

import io.camhook.torchscript.flow.CallPaths;
import io.camhook.torchscript.flow.CallSite;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Takes a pass with gradients apart, so that it has as little autograd in it as it can. What comes
 * before the first tap needs none: where all data passes through one call there, the model up to
 * that call's result is a method of its own (the head), to be run in inference mode like {@code
 * forward}. And where the model ends with a linear layer, the gradient of a class score with
 * respect to that layer's input is a row of its weight (∂(Wx+b)ₖ/∂x = Wₖ), so that what is
 * differentiated ends before it.
 *
 * @param head the root's method that gives the result of the call; null where there is no such call
 * @param body the root's method that goes on from there, or from the inputs; null where it is the
 *     twin of {@code forward}
 * @param endsBeforeLinear whether {@code body} returns the argument of the linear layer, not the
 *     result of the model
 * @param methods all that is to be added, in order
 */
record GradientSplit(
    @Nullable String head,
    @Nullable String body,
    boolean endsBeforeLinear,
    List<SpanWriter.Method> methods) {

  /** How many places are tried: each costs a look at the whole method. */
  private static final int MOST = 200;

  /**
   * Looks for the best one.
   *
   * @param prefix begins every added name
   * @param linear the calls from the root to the linear layer; null where the model does not end
   *     with one, or something after its argument is a tap
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

  /** Up to {@link #MOST} calls that are complete when the first tap is, that one first. */
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
