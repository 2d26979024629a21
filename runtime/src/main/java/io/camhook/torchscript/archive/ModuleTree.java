package io.camhook.torchscript.archive;

import io.camhook.naming.ModuleDescription;
import io.camhook.torchscript.archive.PickleValue.Call;
import io.camhook.torchscript.archive.PickleValue.Global;
import io.camhook.torchscript.archive.PickleValue.Instance;
import io.camhook.torchscript.archive.PickleValue.Persistent;
import io.camhook.torchscript.source.Expr;
import io.camhook.torchscript.source.Literals;
import io.camhook.torchscript.source.SourceTree;
import io.camhook.torchscript.source.Stmt;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The module instances of an archive, from {@code data.pkl} and the class sources. */
public final class ModuleTree {
  private static final int MAX_DEPTH = 200;
  private static final int MAX_PATHS = 100_000;

  private final String where;
  private final SourceTree sources;
  private final Map<Instance, ModuleNode> nodes = new IdentityHashMap<>();
  private final Map<String, ModuleNode> byPath = new LinkedHashMap<>();
  private final Set<ModuleNode> behindInterface = new HashSet<>();

  private ModuleTree(String where, SourceTree sources) {
    this.where = where;
    this.sources = sources;
  }

  /**
   * Reads the tree.
   *
   * @param data the unpickled {@code data.pkl}
   * @throws ArchiveException if the root is not a module
   */
  public static ModuleTree read(String where, SourceTree sources, @Nullable Object data)
      throws ArchiveException {
    if (!(data instanceof Instance root)) {
      throw new ArchiveException(
          where + ": data.pkl holds no module but " + data + "; is it a torch.save checkpoint?");
    }
    ModuleTree tree = new ModuleTree(where, sources);
    tree.visit(root, "", 0);
    return tree;
  }

  public ModuleNode root() {
    return byPath.values().iterator().next();
  }

  /** Every path, aliases included, in registration order; the root's path is empty. */
  public Map<String, ModuleNode> byPath() {
    return byPath;
  }

  /** Whether the attribute that holds the module is declared as an interface. */
  public boolean isBehindInterface(ModuleNode node) {
    return behindInterface.contains(node);
  }

  private boolean isInterface(ModuleNode holder, String attribute) {
    SourceTree.ClassSource source = sources.type(holder.type());
    Expr declared = source == null ? null : source.attributes().get(attribute);
    String name = declared == null ? null : Literals.dotted(declared);
    SourceTree.ClassSource type = name == null ? null : sources.type(name);
    return type != null && type.isInterface();
  }

  private ModuleNode visit(Instance instance, String path, int depth) throws ArchiveException {
    if (depth > MAX_DEPTH || byPath.size() > MAX_PATHS) {
      throw new ArchiveException(
          where + ": modules nest deeper than " + MAX_DEPTH + " levels or contain each other");
    }
    ModuleNode known = nodes.get(instance);
    if (known != null) {
      alias(known, path, depth);
      return known;
    }
    boolean training = Boolean.TRUE.equals(instance.state().get("training"));
    ModuleNode node = new ModuleNode(path, instance.type().qualifiedName(), training);
    nodes.put(instance, node);
    byPath.put(path, node);
    Set<String> buffers = names(node.type(), "__buffers__");
    for (Map.Entry<String, @Nullable Object> attribute : instance.state().entrySet()) {
      String name = attribute.getKey();
      if (attribute.getValue() instanceof Instance child && isModule(child)) {
        String childPath = path.isEmpty() ? name : path + "." + name;
        ModuleNode childNode = visit(child, childPath, depth + 1);
        node.children().put(name, childNode);
        if (isInterface(node, name)) {
          behindInterface.add(childNode);
        }
      } else {
        addTensor(node, name, attribute.getValue(), buffers.contains(name));
        addList(node, name, attribute.getValue());
      }
    }
    return node;
  }

  private void alias(ModuleNode node, String path, int depth) throws ArchiveException {
    if (depth > MAX_DEPTH || byPath.size() > MAX_PATHS) {
      throw new ArchiveException(where + ": modules contain each other without end");
    }
    node.aliases().add(path);
    byPath.put(path, node);
    for (Map.Entry<String, ModuleNode> child : node.children().entrySet()) {
      alias(child.getValue(), path + "." + child.getKey(), depth + 1);
    }
  }

  private boolean isModule(Instance instance) {
    SourceTree.ClassSource source = sources.type(instance.type().qualifiedName());
    return source != null && source.extendsType("Module");
  }

  private Set<String> names(String type, String list) {
    Set<String> names = new HashSet<>();
    SourceTree.ClassSource source = sources.type(type);
    if (source == null) {
      return names;
    }
    for (Stmt statement : source.definition().body()) {
      if (statement instanceof Stmt.Assign assign
          && assign.targets().get(0) instanceof Expr.Name name
          && name.id().equals(list)
          && assign.value() instanceof Expr.ListOf items) {
        for (Expr item : items.items()) {
          if (item instanceof Expr.Str text) {
            names.add(Literals.text(text));
          }
        }
      }
    }
    return names;
  }

  /**
   * Adds a value to a node, if it is a tensor.
   *
   * @param value as in the pickle
   */
  public static void addTensor(
      ModuleNode node, String name, @Nullable Object value, boolean buffer) {
    ModuleDescription.Parameter parameter = parameter(name, value, buffer);
    if (parameter != null) {
      node.parameters().put(name, parameter);
      StoredValues values = values(value);
      if (values != null) {
        node.values().put(name, values);
      }
    }
  }

  /** {@code torch.jit._pickle.build_intlist(list)}. */
  private static void addList(ModuleNode node, String name, @Nullable Object value) {
    if (value instanceof Call call
        && call.function().name().equals("build_intlist")
        && call.arguments().size() == 1
        && call.arguments().get(0) instanceof List<?> items
        && items.stream().allMatch(item -> item instanceof Long)) {
      node.lists().put(name, items.stream().map(item -> (Long) item).toList());
    }
  }

  /**
   * {@code torch._utils._rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks)}.
   */
  private static ModuleDescription.@Nullable Parameter parameter(
      String name, @Nullable Object value, boolean buffer) {
    if (!(value instanceof Call call)
        || !call.function().name().startsWith("_rebuild_")
        || call.arguments().size() < 3
        || !(call.arguments().get(0) instanceof Persistent storage)
        || !(storage.id() instanceof List<?> id)
        || id.size() < 2
        || !(id.get(1) instanceof Global type)
        || !(call.arguments().get(2) instanceof List<?> sizes)) {
      return null;
    }
    List<Long> shape = new ArrayList<>();
    for (Object size : sizes) {
      if (!(size instanceof Long number)) {
        return null;
      }
      shape.add(number);
    }
    return new ModuleDescription.Parameter(name, dtype(type.name()), List.copyOf(shape), buffer);
  }

  private static @Nullable StoredValues values(@Nullable Object value) {
    return value instanceof Call call
            && call.arguments().get(0) instanceof Persistent storage
            && storage.id() instanceof List<?> id
        ? StoredValues.of(id, call.arguments())
        : null;
  }

  private static String dtype(String storage) {
    return switch (storage) {
      case "FloatStorage" -> "F32";
      case "DoubleStorage" -> "F64";
      case "HalfStorage" -> "F16";
      case "BFloat16Storage" -> "BF16";
      case "LongStorage" -> "I64";
      case "IntStorage" -> "I32";
      case "ShortStorage" -> "I16";
      case "CharStorage" -> "I8";
      case "ByteStorage" -> "U8";
      case "BoolStorage" -> "BOOL";
      default -> storage.replace("Storage", "");
    };
  }
}
