package io.camhook.onnx.naming;

import io.camhook.onnx.graph.Node;
import io.camhook.onnx.graph.OnnxException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Assigns nodes to calls of modules.
 *
 * <p>The TorchScript exporter numbers later calls: {@code /relu/Relu}, {@code /relu_1/Relu}. A
 * module may itself be named {@code relu_1}: then it has parameters with that name, or its
 * neighbour runs different operators. The newer exporter writes the same name for every call: a
 * call is then a contiguous run of nodes, and all runs have the same operators.
 */
final class ModuleInstances {
  private static final Pattern NUMBERED = Pattern.compile("(.+)_(\\d+)");

  private final List<Node> nodes;
  private final Set<String> parameters;
  private final List<@Nullable Scope> scopes = new ArrayList<>();

  ModuleInstances(List<Node> nodes, Set<String> parameters) throws OnnxException {
    this.nodes = nodes;
    this.parameters = parameters;
    for (Node node : nodes) {
      scopes.add(Scope.of(node));
    }
  }

  /** One call of a module: the nodes of it, in order. */
  record Instance(String path, int call, boolean dotted, List<Integer> nodes) {
    String label() {
      return call == 0 ? path : path + "#" + call;
    }

    int last() {
      return nodes.get(nodes.size() - 1);
    }
  }

  /** All calls, in order of their last nodes; empty if the graph has no modules. */
  List<Instance> all() {
    List<Instance> all = new ArrayList<>();
    all.addAll(numbered());
    all.addAll(together());
    all.sort(
        Comparator.comparingInt(Instance::last)
            .thenComparing(instance -> -instance.path().length()));
    return all;
  }

  /** The innermost module of each node; null if it is in none. */
  List<@Nullable String> innermost() {
    Map<String, String> paths = paths(exact());
    List<@Nullable String> innermost = new ArrayList<>();
    for (Scope scope : scopes) {
      if (scope == null || scope.modules().isEmpty()) {
        innermost.add(null);
      } else if (scope.dotted()) {
        innermost.add(scope.modules().get(scope.modules().size() - 1));
      } else {
        innermost.add(paths.get(String.join("/", scope.modules())));
      }
    }
    return innermost;
  }

  // ---- the older exporter

  /** Nodes below each scope, by its exact name. */
  private Map<String, List<Integer>> exact() {
    Map<String, List<Integer>> exact = new TreeMap<>();
    for (int i = 0; i < nodes.size(); i++) {
      Scope scope = scopes.get(i);
      if (scope == null || scope.dotted()) {
        continue;
      }
      for (int depth = 1; depth <= scope.modules().size(); depth++) {
        exact
            .computeIfAbsent(
                String.join("/", scope.modules().subList(0, depth)), key -> new ArrayList<>())
            .add(i);
      }
    }
    return exact;
  }

  /** The path of each exact scope. */
  private Map<String, String> paths(Map<String, List<Integer>> exact) {
    Map<String, String> paths = new HashMap<>();
    Map<String, String> names = new HashMap<>();
    // Sorted: a parent comes before what is below it.
    for (String scope : exact.keySet()) {
      int slash = scope.lastIndexOf('/');
      String parent = slash < 0 ? "" : scope.substring(0, slash);
      String own = scope.substring(slash + 1);
      String parentPath = paths.getOrDefault(parent, "");
      String parentName = names.getOrDefault(parent, "");
      String path = Scope.join(parentPath, parentName, own);
      Matcher matcher = NUMBERED.matcher(own);
      if (matcher.matches()) {
        String base = matcher.group(1);
        List<Integer> first = exact.get(parent.isEmpty() ? base : parent + "/" + base);
        String prefix = path + ".";
        boolean named = parameters.stream().anyMatch(p -> p.startsWith(prefix));
        if (first != null && !named && sameOperators(first, exact.getOrDefault(scope, List.of()))) {
          own = base;
          path = Scope.join(parentPath, parentName, base);
        }
      }
      paths.put(scope, path);
      names.put(scope, own);
    }
    return paths;
  }

  private List<Instance> numbered() {
    Map<String, List<Integer>> exact = exact();
    Map<String, String> paths = paths(exact);
    Map<String, List<List<Integer>>> calls = new LinkedHashMap<>();
    exact.forEach(
        (scope, below) ->
            calls
                .computeIfAbsent(paths.getOrDefault(scope, scope), key -> new ArrayList<>())
                .add(below));
    return instances(calls, false);
  }

  private static List<Instance> instances(Map<String, List<List<Integer>>> calls, boolean dotted) {
    List<Instance> instances = new ArrayList<>();
    calls.forEach(
        (path, runs) -> {
          runs.sort(Comparator.comparingInt(run -> run.get(0)));
          for (int call = 0; call < runs.size(); call++) {
            instances.add(new Instance(path, call, dotted, runs.get(call)));
          }
        });
    return instances;
  }

  private boolean sameOperators(List<Integer> some, List<Integer> others) {
    return operators(some, false).keySet().equals(operators(others, false).keySet());
  }

  private Map<String, Integer> operators(List<Integer> indices, boolean count) {
    Map<String, Integer> operators = new TreeMap<>();
    for (int index : indices) {
      if (!nodes.get(index).is("Constant")) {
        operators.merge(
            nodes.get(index).qualifiedOperator(), 1, count ? Integer::sum : (a, b) -> a);
      }
    }
    return operators;
  }

  // ---- the newer exporter

  private List<Instance> together() {
    Map<String, List<List<Integer>>> calls = new LinkedHashMap<>();
    Map<String, Integer> last = new HashMap<>();
    int order = 0;
    for (int i = 0; i < nodes.size(); i++) {
      Scope scope = scopes.get(i);
      if (scope == null || !scope.dotted()) {
        continue;
      }
      order++;
      for (String path : scope.modules()) {
        List<List<Integer>> runs = calls.computeIfAbsent(path, key -> new ArrayList<>());
        Integer before = last.put(path, order);
        if (before == null || before != order - 1) {
          runs.add(new ArrayList<>());
        }
        runs.get(runs.size() - 1).add(i);
      }
    }
    calls.replaceAll((path, runs) -> sameInAll(runs) ? runs : joined(runs));
    return instances(calls, true);
  }

  private boolean sameInAll(List<List<Integer>> runs) {
    Map<String, Integer> first = operators(runs.get(0), true);
    return runs.stream().allMatch(run -> operators(run, true).equals(first));
  }

  private static List<List<Integer>> joined(List<List<Integer>> runs) {
    List<Integer> all = new ArrayList<>();
    runs.forEach(all::addAll);
    List<List<Integer>> one = new ArrayList<>();
    one.add(all);
    return one;
  }
}
