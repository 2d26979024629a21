package io.camhook.explain;

import io.camhook.naming.LayerPattern;
import io.camhook.naming.ModuleDescription;
import io.camhook.naming.ModulePath;
import io.camhook.naming.Nearest;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** Resolves the layers named in a command or call to module paths. */
final class LayerSelection {
  private static final int CLOSEST = 3;

  private LayerSelection() {}

  /**
   * The called modules that {@code layers} mean, under their first names.
   *
   * @param layers paths, aliases or globs; not {@code auto}
   * @throws ExplainException if an entry matches none, naming the closest
   */
  static Set<String> of(List<String> layers, ModelListing listing) {
    Set<String> selected = new LinkedHashSet<>();
    for (String layer : layers) {
      Set<String> found = select(layer, listing);
      if (found.isEmpty()) {
        throw new ExplainException(none(layer, listing));
      }
      selected.addAll(found);
    }
    return selected;
  }

  private static Set<String> select(String layer, ModelListing listing) {
    Set<String> found = new LinkedHashSet<>();
    LayerPattern pattern = LayerPattern.of(layer);
    List<ModuleDescription> called = meantBy(layer, listing);
    for (ModuleDescription module : called) {
      boolean meant = matches(pattern, module.path());
      for (String alias : module.aliases()) {
        meant |= matches(pattern, alias);
      }
      if (meant) {
        found.add(module.path());
      }
    }
    if (found.isEmpty()) {
      pattern.select(called.stream().map(m -> ModulePath.parse(m.path())).toList()).stream()
          .map(ModulePath::toString)
          .forEach(found::add);
    }
    return found;
  }

  private static boolean matches(LayerPattern pattern, String path) {
    return pattern.matches(ModulePath.parse(path));
  }

  private static String none(String layer, ModelListing listing) {
    if (listing.rootOnly() != null) {
      return "%s: no layer '%s': %s".formatted(listing.model(), layer, listing.rootOnly());
    }
    boolean exists =
        listing.modules().stream()
            .anyMatch(module -> module.path().equals(layer) || module.aliases().contains(layer));
    List<String> paths = meantBy(layer, listing).stream().map(ModuleDescription::path).toList();
    if (exists && listing.operatorsOnly() == null) {
      return "%s: layer '%s' is never called in the model's code, so nothing of it can be seen; closest that are: %s"
          .formatted(listing.model(), layer, Nearest.to(layer, paths, CLOSEST));
    }
    String unclear = listing.operators().unclear().get(layer);
    String why = unclear == null ? listing.operatorsOnly() : unclear;
    boolean inside = why == null && LayerPattern.of(layer).isInside();
    return "%s: no %s '%s'%s; closest of %d: %s; 'camhook layers %s%s' lists all"
        .formatted(
            listing.model(),
            inside ? "operator" : "layer",
            layer,
            why == null ? "" : ": " + why,
            paths.size(),
            Nearest.to(layer, paths, CLOSEST),
            listing.model(),
            inside ? " --operators" : "");
  }

  /** What a layer can mean: operators in the code of modules, or called modules. */
  private static List<ModuleDescription> meantBy(String layer, ModelListing listing) {
    return LayerPattern.of(layer).isInside() ? listing.operators().inside() : called(listing);
  }

  /** The modules that the model's code calls. */
  static List<ModuleDescription> called(ModelListing listing) {
    return listing.modules().stream().filter(module -> module.callSites() > 0).toList();
  }
}
