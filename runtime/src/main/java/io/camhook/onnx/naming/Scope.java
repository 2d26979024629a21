package io.camhook.onnx.naming;

import io.camhook.onnx.graph.Node;
import io.camhook.onnx.graph.OnnxException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The modules that contain a node, as its exporter recorded them.
 *
 * @param modules the names of the enclosing modules, outermost first, in the exporter's form
 * @param dotted whether those names are whole paths (the newer exporter) rather than single
 *     segments
 */
record Scope(List<String> modules, boolean dotted) {
  private static final String NAMES = "pkg.torch.onnx.name_scopes";

  /** Null if the node does not name it. */
  static @Nullable Scope of(Node node) throws OnnxException {
    String names = node.metadata().get(NAMES);
    if (names != null) {
      List<String> all = quoted(names);
      // The root comes first, as an empty name; the operator's own name comes last.
      return all.isEmpty() ? null : new Scope(all.subList(1, Math.max(1, all.size() - 1)), true);
    }
    if (!node.name().startsWith("/")) {
      return null;
    }
    String[] parts = node.name().substring(1).split("/", -1);
    return new Scope(List.copyOf(Arrays.asList(parts).subList(0, parts.length - 1)), false);
  }

  /** The strings of a Python list. */
  private static List<String> quoted(String list) {
    List<String> strings = new ArrayList<>();
    int at = 0;
    while (at < list.length()) {
      char quote = list.charAt(at);
      if (quote != '\'' && quote != '"') {
        at++;
        continue;
      }
      int end = list.indexOf(quote, at + 1);
      if (end < 0) {
        break;
      }
      strings.add(list.substring(at + 1, end));
      at = end + 1;
    }
    return strings;
  }

  /**
   * The path of a module whose parent has a path. The TorchScript exporter repeats the parent's
   * name in that of a member of a Sequential or ModuleList: {@code /layer4/layer4.1}.
   */
  static String join(String parentPath, String parentName, String name) {
    if (parentPath.isEmpty()) {
      return name;
    }
    return name.startsWith(parentName + ".")
        ? parentPath + name.substring(parentName.length())
        : parentPath + "." + name;
  }
}
