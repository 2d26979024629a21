package io.camhook.djl.model;

import ai.djl.nn.Block;
import ai.djl.util.Pair;
import io.camhook.naming.ModulePath;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * The modules of a model made of Java blocks, parents before children. A block that is used in two
 * places has two paths.
 */
public final class BlockTree {
  /** A block at its place. */
  public record Module(ModulePath path, Block block) {}

  private final List<Module> modules = new ArrayList<>();
  private final Set<Block> open = Collections.newSetFromMap(new IdentityHashMap<>());

  private BlockTree() {}

  public static List<Module> of(Block root) {
    BlockTree tree = new BlockTree();
    tree.add(ModulePath.ROOT, root);
    return tree.modules;
  }

  private void add(ModulePath path, Block block) {
    modules.add(new Module(path, block));
    if (!open.add(block)) {
      return; // a block that contains itself
    }
    List<String> names = block.getChildren().keys();
    for (int i = 0; i < names.size(); i++) {
      Pair<String, Block> child = block.getChildren().get(i);
      add(path.child(spellings(names, i)), child.getValue());
    }
    open.remove(block);
  }

  /** {@code 03Conv2d}; {@code Conv2d} if no sibling has that name; {@code 2}, the index from 0. */
  private static List<String> spellings(List<String> siblings, int index) {
    String name = siblings.get(index);
    String bare = withoutNumber(name);
    Set<String> spellings = new LinkedHashSet<>();
    spellings.add(name);
    if (siblings.stream().filter(sibling -> withoutNumber(sibling).equals(bare)).count() == 1) {
      spellings.add(bare);
    }
    spellings.add(Integer.toString(index));
    return List.copyOf(spellings);
  }

  private static String withoutNumber(String name) {
    int start = 0;
    while (start < name.length() && Character.isDigit(name.charAt(start))) {
      start++;
    }
    return start == 0 || start == name.length() ? name : name.substring(start);
  }
}
