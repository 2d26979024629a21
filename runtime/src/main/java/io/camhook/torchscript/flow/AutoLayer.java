package io.camhook.torchscript.flow;

import io.camhook.naming.LayerPattern;
import io.camhook.torchscript.archive.PythonNames;
import io.camhook.torchscript.source.Expr;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The layer that {@code auto} means. It is found from the code alone, so the agent knows it before
 * the first input. Only calls that the explained output depends on are considered.
 *
 * <p>In a convolutional network it is the last call that returns a spatial map which the output
 * does not merely rearrange: neither the class map of a segmentation model nor the boxes of a
 * detector. In a transformer it is the last norm whose tokens enter an attention, that is the first
 * norm of the last block, as in pytorch-grad-cam; tokens after that attention no longer reach the
 * score of a class token. If the code shows no attention (MLP-Mixer), it is the first norm of the
 * last block that has two. In a text model, which has no spatial map, it is the largest embedding.
 *
 * @param path of the module
 * @param notice a notice for the user; null if there is none
 */
public record AutoLayer(String path, @Nullable String notice) {
  private static final Pattern NORM = Pattern.compile(".*(Layer|RMS)Norm");
  private static final Pattern PASSES_ON =
      Pattern.compile(".*\\.(Identity|Dropout\\d?d?|DropPath|StochasticDepth)");

  /** One call in the order of completion. */
  private record Call(CallSite site, int number) {}

  /**
   * Finds it.
   *
   * @param root the followed {@code forward}
   * @param wanted the explained output, by position or key; null: the usual one
   * @return null if no call returns a map or tokens that the output depends on
   */
  public static @Nullable AutoLayer of(MethodContext root, @Nullable String wanted) {
    Output explained = Output.explained(root, wanted);
    if (explained == null) {
      return null;
    }
    return of(
        completed(root).stream().map(site -> new Call(site, root.number(site))).toList(),
        explained.flow());
  }

  /**
   * In a graph of operators, the last one with a spatial map that the explained output does not
   * merely rearrange; if there is none, the last one with a map that it depends on.
   *
   * @param root the {@code forward} followed with its operators
   * @param wanted the explained output, as for {@link #of}
   * @return its call; null if the output depends on no map
   */
  public static Expr.@Nullable Call lastMap(MethodContext root, @Nullable String wanted) {
    Output explained = Output.explained(root, wanted);
    if (explained == null) {
      return null;
    }
    Expr.Call any = null;
    Expr.Call last = null;
    for (CallSite site : completed(root)) {
      int number = root.number(site);
      if (site.isOperator()
          && site.isSpatial()
          && !site.isUnclear()
          && number >= 0
          && explained.flow().from().get(number)) {
        any = site.call();
        last = explained.flow().direct().get(number) ? last : any;
      }
    }
    return last == null ? any : last;
  }

  /** All calls below a context, in the order of completion. */
  public static List<CallSite> completed(MethodContext context) {
    List<CallSite> order = new ArrayList<>();
    complete(context, new HashSet<>(), order);
    return order;
  }

  private static void complete(
      MethodContext context, Set<MethodContext> seen, List<CallSite> order) {
    if (seen.add(context)) {
      for (CallSite site : context.sites()) {
        site.callees().forEach(c -> complete(c, seen, order));
        order.add(site);
      }
    }
  }

  /**
   * Finds it.
   *
   * @param calls of the whole program, in order of completion
   * @param output flow of the explained output
   * @return null if no call returns a map or tokens that the output depends on
   */
  private static @Nullable AutoLayer of(List<Call> calls, Flow output) {
    Call map = null;
    Call token = null;
    List<CallSite> lookups = new ArrayList<>();
    List<Call> norms = new ArrayList<>();
    for (Call call : calls) {
      CallSite site = call.site();
      if (!site.isForward() || site.isUnclear() || !output.from().get(call.number())) {
        continue;
      }
      lookups.add(site);
      boolean rearranged = output.direct().get(call.number());
      String type = PythonNames.python(site.target().type());
      if (site.isSpatial() && !rearranged && !PASSES_ON.matcher(type).matches()) {
        map = call;
        norms.clear();
      }
      if (NORM.matcher(type).matches()) {
        norms.add(call);
        if (output.attended().get(call.number())) {
          token = call;
        }
      }
    }
    String tokens = map == null ? tokenEmbedding(lookups) : null;
    if (tokens != null) {
      return new AutoLayer(tokens, null);
    }
    boolean tokensLater =
        token != null && (map == null || calls.indexOf(token) > calls.indexOf(map));
    if (token != null && tokensLater) {
      return new AutoLayer(token.site().target().path(), null);
    }
    Call block = firstOfLastBlock(norms);
    if (block != null) {
      return new AutoLayer(block.site().target().path(), null);
    }
    return map == null ? null : ofMap(map, output.unweighted());
  }

  /**
   * The embedding that looks up the model's token ids: of those that read an input as it is, else
   * of all, the one with the most rows. (Positions are counted, not read; with a small vocabulary
   * they have more rows.)
   *
   * @return its path; null if there is none
   */
  public static @Nullable String tokenEmbedding(List<CallSite> calls) {
    return calls.stream()
        .filter(site -> site.isForward() && !site.isUnclear())
        .filter(site -> PythonNames.python(site.target().type()).endsWith(".Embedding"))
        .max(Comparator.comparing(CallSite::readsInput).thenComparing(AutoLayer::rows))
        .map(site -> site.target().path())
        .orElse(null);
  }

  private static long rows(CallSite embedding) {
    return embedding.target().parameters().values().stream()
        .filter(parameter -> parameter.shape().size() == 2)
        .mapToLong(parameter -> parameter.shape().get(0))
        .max()
        .orElse(0);
  }

  private static AutoLayer ofMap(Call map, BitSet unweighted) {
    String path = map.site().target().path();
    return new AutoLayer(
        path, unweighted.get(map.number()) ? LayerPattern.onlyPoolingAfter(path) : null);
  }

  /** The first norm of the last module that has two or more, among those after the last map. */
  private static @Nullable Call firstOfLastBlock(List<Call> norms) {
    Map<String, List<Call>> blocks = new LinkedHashMap<>();
    for (Call norm : norms) {
      String path = norm.site().target().path();
      String parent = path.contains(".") ? path.substring(0, path.lastIndexOf('.')) : "";
      blocks.computeIfAbsent(parent, p -> new ArrayList<>()).add(norm);
    }
    Call last = null;
    for (List<Call> block : blocks.values()) {
      last = block.size() > 1 ? block.get(0) : last;
    }
    return last;
  }

  /** One of the model's outputs, numbered as engines flatten them. */
  private record Output(String name, Flow flow) {
    /** The outputs in {@code forward}'s result. */
    static List<Output> of(Value returned) {
      List<Output> all = new ArrayList<>();
      add(returned, "", all);
      return all;
    }

    private static void add(Value value, String key, List<Output> all) {
      Map<String, Value> entries = value instanceof Value.Data data ? data.entries() : Map.of();
      if (value instanceof Value.TupleOf tuple) {
        tuple.items().forEach(item -> add(item, "", all));
      } else if (!entries.isEmpty()) {
        entries.entrySet().stream()
            .sorted(Map.Entry.comparingByKey())
            .forEach(entry -> add(entry.getValue(), entry.getKey(), all));
      } else {
        String name = key.isEmpty() ? Integer.toString(all.size()) : key;
        all.add(new Output(name, value.flow()));
      }
    }

    /** The one that is explained: the named one, the one with a usual name, or the first. */
    static @Nullable Output explained(MethodContext root, @Nullable String wanted) {
      Value returned = root.returned();
      List<Output> all = returned == null ? List.of() : of(returned);
      for (Output output : all) {
        if (output.name().equals(wanted)) {
          return output;
        }
      }
      if (wanted != null && wanted.matches("\\d{1,6}") && Integer.parseInt(wanted) < all.size()) {
        return all.get(Integer.parseInt(wanted));
      }
      for (String usual : List.of("logits", "out", "output", "scores")) {
        for (Output output : all) {
          if (output.name().equals(usual)) {
            return output;
          }
        }
      }
      return all.isEmpty() ? null : all.get(0);
    }
  }
}
