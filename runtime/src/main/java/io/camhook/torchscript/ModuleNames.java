package io.camhook.torchscript;

import java.util.regex.Pattern;

/** Names as users know them. */
final class ModuleNames {
  private static final Pattern MANGLING = Pattern.compile("\\.?___torch_mangle_\\d+");

  private ModuleNames() {}

  /**
   * {@code torch.nn.modules.conv.Conv2d} for {@code __torch__.torch.….___torch_mangle_7.Conv2d}.
   */
  static String python(String qualifiedName) {
    String name = MANGLING.matcher(qualifiedName).replaceAll("");
    return name.startsWith("__torch__.") ? name.substring("__torch__.".length()) : name;
  }

  /** A path as users write it: the root is {@code .}. */
  static String shown(String path) {
    return path.isEmpty() ? "." : path;
  }
}
