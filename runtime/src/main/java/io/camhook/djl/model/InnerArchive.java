package io.camhook.djl.model;

import ai.djl.nn.Block;
import ai.djl.pytorch.engine.PtSymbolBlock;
import io.camhook.naming.LayerPattern;
import io.camhook.naming.ModulePath;
import io.camhook.torchscript.twin.TapPlan;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A TorchScript archive that is a block of a network of Java blocks, as in transfer learning. Paths
 * of the network continue inside it: {@code 01PtSymbolBlock.features.12}. Thread-safe.
 */
public final class InnerArchive {
  private final ModulePath at;
  private final PtSymbolBlock block;
  private final ScriptPlan script;
  private final Set<String> recorded = ConcurrentHashMap.newKeySet();

  private InnerArchive(ModulePath at, PtSymbolBlock block, ScriptPlan script) {
    this.at = at;
    this.block = block;
    this.script = script;
  }

  /**
   * The archives among the modules of a network; none if an archive is the whole model.
   *
   * @param plans how each archive was instrumented when it was loaded; null if it was not
   */
  public static List<InnerArchive> of(
      List<BlockTree.Module> modules, Function<Block, @Nullable ScriptPlan> plans) {
    List<InnerArchive> found = new ArrayList<>();
    for (BlockTree.Module module : modules.subList(1, modules.size())) {
      if (module.block() instanceof PtSymbolBlock block) {
        ScriptPlan plan = plans.apply(block);
        found.add(
            new InnerArchive(
                module.path(),
                block,
                plan == null
                    ? ScriptPlan.untapped(
                        null,
                        "its archive was loaded before the agent came, or no entry of 'models'"
                            + " spoke of it then; name its model or file in an entry with"
                            + " capture: [] before it is loaded")
                    : plan));
      }
    }
    return found;
  }

  /** The modules of a network, and what {@code layers} can mean inside its archives. */
  public static List<BlockTree.Module> withInner(
      List<BlockTree.Module> modules, List<InnerArchive> archives, String layers) {
    List<BlockTree.Module> all = new ArrayList<>(modules);
    for (InnerArchive archive : archives) {
      for (BlockTree.Module module : archive.script.inside().below(layers)) {
        all.add(new BlockTree.Module(archive.below(module.path()), module.block()));
      }
    }
    return all;
  }

  /** Why {@code layer} matches nothing inside one of the archives; null if unknown. */
  public static @Nullable String refusal(String layer, List<InnerArchive> archives) {
    LayerPattern pattern = LayerPattern.of(layer);
    for (InnerArchive archive : archives) {
      for (int depth = 1; depth < pattern.depth(); depth++) {
        if (pattern.upTo(depth).matches(archive.at)) {
          String reason = archive.script.inside().refusal(pattern.below(depth).toString());
          if (reason != null) {
            return "'%s' is inside a TorchScript archive: %s"
                .formatted(layer, reason.replaceFirst("^'[^']*' is inside [^:]*: ", ""));
          }
        }
      }
    }
    return null;
  }

  Block block() {
    return block;
  }

  /** The archive's path in its network. */
  public String path() {
    return at.toString();
  }

  /** How the archive was instrumented when it was loaded. */
  public ScriptPlan script() {
    return script;
  }

  /** The module that {@code auto} means, as a path of the network; null if it is not recorded. */
  @Nullable String auto() {
    String auto = script.auto();
    return auto == null || script.taps() == null ? null : below(ModulePath.parse(auto)).toString();
  }

  /** Paths of the network that can be recorded, inside the archive. */
  List<ModulePath> recordable() {
    TapPlan taps = script.taps();
    return taps == null
        ? List.of()
        : taps.taps().stream()
            .map(TapPlan.Tap::path)
            .distinct()
            .map(ModulePath::parse)
            .map(this::below)
            .toList();
  }

  private ModulePath below(ModulePath inside) {
    String path = inside.toString();
    if (path.startsWith("./")) { // an operator in the code of the archive's root
      return ModulePath.parse(at + path.substring(1));
    }
    return new ModulePath(Stream.of(at, inside).flatMap(p -> p.segments().stream()).toList());
  }

  /** From now on {@code path}, a path of the network, is recorded. */
  void record(String path) {
    recorded.add(path);
  }

  /** Whether anything inside is recorded. */
  public boolean isRecorded() {
    return !recorded.isEmpty() && script.taps() != null;
  }

  /**
   * The path in the network of a module inside, or of an operator without its number ({@code relu}
   * of {@code relu#7}); null if it is not recorded.
   */
  public @Nullable String recorded(String inside) {
    String path = at + "." + inside;
    return recorded.contains(path) || recorded.stream().anyMatch(p -> p.startsWith(path + "#"))
        ? path
        : null;
  }
}
