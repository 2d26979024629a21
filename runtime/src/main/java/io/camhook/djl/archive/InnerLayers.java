package io.camhook.djl.archive;

import io.camhook.config.CamhookConfig;
import io.camhook.naming.LayerPattern;
import io.camhook.naming.ModuleDescription;
import io.camhook.naming.ModulePath;
import io.camhook.torchscript.TorchScriptArchive;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * The configured layers inside archives that are blocks of networks of Java blocks: {@code
 * 01PtSymbolBlock.features.12} of such a network is {@code features.12} of the archive that its
 * first block came from. When the archive is loaded, its network may not exist yet, so only the
 * paths can be used.
 */
final class InnerLayers {
  /** DJL's name of a child: two digits and the name. */
  private static final String BLOCK = "\\d\\d+\\D.*|.*PtSymbolBlock.*";

  private static final String NAME = "[A-Za-z_]\\w*";

  private final List<LayerPattern> captured = new ArrayList<>();
  private final List<LayerPattern> hooked = new ArrayList<>();

  /** {@code entries} are those of models that DJL runs. */
  InnerLayers(Collection<CamhookConfig.Model> entries) {
    for (CamhookConfig.Model entry : entries) {
      if (!entry.capture().isEmpty()) {
        entry.layers().forEach(layer -> captured.add(LayerPattern.of(layer)));
      }
      for (CamhookConfig.Hook hook : entry.hooks()) {
        hook.layers().forEach(layer -> hooked.add(LayerPattern.of(layer)));
      }
    }
  }

  /**
   * Whether an archive may contain a configured layer, before it was examined.
   *
   * @param whole as in {@link #captured}
   */
  boolean isPossible(boolean whole) {
    return whole
        ? !captured.isEmpty() || !hooked.isEmpty()
        : captured.stream().anyMatch(InnerLayers::goesOn)
            || hooked.stream().anyMatch(InnerLayers::goesOn);
  }

  private static boolean goesOn(LayerPattern layer) {
    for (int block = 1; block < layer.depth(); block++) {
      if (isBlock(layer, block)) {
        return true;
      }
    }
    return false;
  }

  /**
   * Whether the segments up to {@code block} may name a block of a network: DJL's own names are
   * recognised by their form; a name chosen by a user counts if the rest can match exactly one
   * module.
   */
  private static boolean isBlock(LayerPattern layer, int block) {
    String name = layer.segment(block - 1);
    return name.matches(BLOCK)
        || (name.matches(NAME)
            && layer.segment(block).matches(NAME)
            && layer.below(block).isLiteral());
  }

  /**
   * The configured layers of an archive.
   *
   * @param whole whether entries that name no block ({@code auto}, {@code *}) match this archive,
   *     too
   */
  Set<String> captured(TorchScriptArchive archive, boolean whole) {
    Set<String> layers = new LinkedHashSet<>();
    for (LayerPattern layer : captured) {
      layers.addAll(in(archive, layer));
      if (whole && layer.isAny()) {
        layers.add(layer.toString());
      }
      if (whole && layer.toString().equals(LayerPattern.AUTO)) {
        layers.add(LayerPattern.AUTO);
      }
    }
    return layers;
  }

  /** Whether hooks are configured inside. */
  boolean hooks(TorchScriptArchive archive, boolean whole) {
    return hooked.stream().anyMatch(l -> !in(archive, l).isEmpty() || (whole && l.isAny()));
  }

  /**
   * The paths in the archive that a layer of a network of blocks matches; none if the layer does
   * not lead into the archive.
   */
  static Set<String> in(TorchScriptArchive archive, LayerPattern layer) {
    Set<String> paths = new LinkedHashSet<>();
    for (int block = 1; block < layer.depth(); block++) {
      if (isBlock(layer, block)) {
        paths.addAll(matches(archive, layer.below(block)));
      }
    }
    return paths;
  }

  private static List<String> matches(TorchScriptArchive archive, LayerPattern layer) {
    return archive.layers(layer).stream()
        .map(ModuleDescription::path)
        .filter(path -> !path.equals(".") && layer.matches(ModulePath.parse(path)))
        .toList();
  }
}
