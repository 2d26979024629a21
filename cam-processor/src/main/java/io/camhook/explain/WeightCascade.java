package io.camhook.explain;

import io.camhook.naming.ModuleDescription;
import io.camhook.torchscript.TemporaryCopies;
import io.camhook.torchscript.TorchScriptArchive;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Copies of a model in which the parameters of the last layer, of the last two, and so on have been
 * shuffled, so that the distribution of every tensor stays. {@link
 * io.camhook.cam.metrics.SanityCheck} compares their maps.
 *
 * <p>Layers are modules with a parameter of two or more dimensions, in reverse order of
 * registration; norms between them belong to the layer before. In deep models each step takes
 * several layers. Immutable.
 */
public final class WeightCascade {
  private static final int STEPS = 12;

  /** Writes the model with the weights of some modules in random order. */
  @FunctionalInterface
  private interface Shuffler {
    void write(Path to, List<String> paths, long seed) throws IOException;
  }

  private final Shuffler shuffler;
  private final String suffix;
  private final List<ModuleDescription> weighted;
  private final List<String> layers;

  private WeightCascade(
      Shuffler shuffler, String suffix, List<ModuleDescription> weighted, List<String> layers) {
    this.shuffler = shuffler;
    this.suffix = suffix;
    this.weighted = weighted;
    this.layers = layers;
  }

  /**
   * Finds the layers.
   *
   * @throws ExplainException if there are none
   * @throws IOException if the file is not a model, with the reason
   */
  public static WeightCascade of(Path model) throws IOException {
    if (OnnxSource.isOnnx(model)) {
      OnnxSource source = OnnxSource.open(model);
      return of(model, source.listing().modules(), source.file()::writeShuffled, ".onnx");
    }
    TorchScriptArchive archive = TorchScriptArchive.open(model);
    return of(model, archive.modules(), archive::writeShuffled, ".pt");
  }

  private static WeightCascade of(
      Path model, List<ModuleDescription> modules, Shuffler shuffler, String suffix) {
    List<ModuleDescription> weighted =
        modules.stream().filter(module -> module.parameterCount() > 0).toList();
    List<String> all = new ArrayList<>();
    for (ModuleDescription module : weighted) {
      if (module.parameters().stream().anyMatch(p -> !p.buffer() && p.shape().size() > 1)) {
        all.add(0, module.path());
      }
    }
    if (all.isEmpty()) {
      throw new ExplainException(
          model + ": no module has weights to randomise, so there is no sanity check");
    }
    return new WeightCascade(shuffler, suffix, weighted, thinned(all));
  }

  /** At most {@link #STEPS}, the last layer and the first among them. */
  private static List<String> thinned(List<String> all) {
    List<String> layers = new ArrayList<>();
    int steps = Math.min(STEPS, all.size());
    for (int i = 0; i < steps; i++) {
      layers.add(all.get(steps == 1 ? 0 : i * (all.size() - 1) / (steps - 1)));
    }
    return layers;
  }

  /** The layers whose weights go, step by step, from the output to the input. */
  public List<String> layers() {
    return layers;
  }

  /**
   * Opens the model in which a layer and all after it have random weights.
   *
   * @param layer one of {@link #layers}
   * @param explained the layers to explain
   */
  public Step open(String layer, List<String> explained, long seed) throws IOException {
    List<String> paths = weighted.stream().map(ModuleDescription::path).toList();
    Path copy = TemporaryCopies.file(suffix);
    try {
      shuffler.write(copy, paths.subList(paths.indexOf(layer), paths.size()), seed);
      return new Step(copy, Explainer.load(copy, explained));
    } catch (Throwable e) {
      Files.deleteIfExists(copy);
      throw e;
    }
  }

  /** One model of the cascade; its file is deleted when it is closed. */
  public record Step(Path file, Explainer explainer) implements AutoCloseable {
    @Override
    public void close() throws IOException {
      explainer.close();
      Files.deleteIfExists(file);
    }
  }
}
