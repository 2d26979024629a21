package io.camhook.djl.hooks;

import ai.djl.nn.Block;
import io.camhook.dispatch.WeakIdentityMap;
import io.camhook.djl.model.BlockTree;

/** Remembers the paths of a model's blocks. Keeps no block alive; thread-safe. */
final class BlockPaths {
  private static final WeakIdentityMap<Block, WeakIdentityMap<Block, String>> BY_ROOT =
      new WeakIdentityMap<>();

  private BlockPaths() {}

  /**
   * The path of {@code block} in the model {@code root}; its simple class name if it is not a
   * (grand)child of it.
   */
  static String of(Block root, Block block) {
    if (root == block) {
      return ".";
    }
    String path = BY_ROOT.computeIfAbsent(root, () -> paths(root)).get(block);
    if (path == null) { // a child that was added later, or not a child
      WeakIdentityMap<Block, String> again = paths(root);
      BY_ROOT.put(root, again);
      path = again.get(block);
    }
    if (path == null) {
      path = block.getClass().getSimpleName();
      BY_ROOT.computeIfAbsent(root, () -> paths(root)).put(block, path);
    }
    return path;
  }

  private static WeakIdentityMap<Block, String> paths(Block root) {
    WeakIdentityMap<Block, String> paths = new WeakIdentityMap<>();
    for (BlockTree.Module module : BlockTree.of(root)) {
      if (paths.get(module.block()) == null) {
        paths.put(module.block(), module.path().toString());
      }
    }
    return paths;
  }
}
