package io.camhook.torchscript.twin;

import io.camhook.torchscript.flow.CallSite;
import io.camhook.torchscript.flow.MethodContext;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The calls that are tapped, numbered in order of their first completion, and the paths to them.
 */
final class TapSites {
  private final Map<CallSite, Integer> numbers = new LinkedHashMap<>();
  private final Map<MethodContext, Boolean> leadsToTap = new HashMap<>();

  /**
   * @param isTap called once for each call, in order of first completion
   */
  TapSites(MethodContext root, Predicate<CallSite> isTap) {
    number(root, isTap, new HashSet<>());
  }

  private void number(MethodContext context, Predicate<CallSite> isTap, Set<MethodContext> seen) {
    if (!seen.add(context)) {
      return;
    }
    for (CallSite site : context.sites()) {
      site.callees().forEach(c -> number(c, isTap, seen));
      if (isTap.test(site)) {
        numbers.put(site, numbers.size());
      }
    }
  }

  /** The taps with their numbers, in order. */
  Map<CallSite, Integer> numbers() {
    return numbers;
  }

  /** The number of a tap; null for another call. */
  @Nullable Integer number(CallSite site) {
    return numbers.get(site);
  }

  boolean leadsToTap(MethodContext context) {
    Boolean known = leadsToTap.get(context);
    if (known == null) {
      leadsToTap.put(context, false); // recursion leads to nothing new
      known = context.sites().stream().anyMatch(s -> numbers.containsKey(s) || isWay(s));
      leadsToTap.put(context, known);
    }
    return known;
  }

  /** Whether there are taps below the call; then it goes to the twin. */
  boolean isWay(CallSite site) {
    return !site.isOperator() && !site.isUnclear() && leadsToTap(site.callee());
  }
}
