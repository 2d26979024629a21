package io.camhook.torchscript.archive;

import java.util.regex.Pattern;

/** Names of Python types and modules as users know them. */
public final class PythonNames {
  private static final Pattern MANGLING = Pattern.compile("\\.?___torch_mangle_\\d+");

  private PythonNames() {}

  /**
   * {@code torch.nn.modules.conv.Conv2d} for {@code __torch__.torch.….___torch_mangle_7.Conv2d}.
   */
  public static String python(String qualifiedName) {
    String name = MANGLING.matcher(qualifiedName).replaceAll("");
    return name.startsWith("__torch__.") ? name.substring("__torch__.".length()) : name;
  }

  /** A path as users write it: the root is {@code .}. */
  public static String shown(String path) {
    return path.isEmpty() ? "." : path;
  }
}
