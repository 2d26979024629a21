package app;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.util.Pair;
import io.camhook.ForwardHook;
import io.camhook.ForwardPreHook;
import io.camhook.FullBackwardHook;
import io.camhook.FullBackwardPreHook;
import io.camhook.Hooks;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** Looks at everything and changes nothing; prints at the end how often it saw what. */
public final class Observe
    implements ForwardPreHook<Block, NDList>,
        ForwardHook<Block, NDList>,
        FullBackwardPreHook<Block, NDList>,
        FullBackwardHook<Block, NDList> {
  private static final String FIRST = "01LambdaBlock";
  private static final Map<String, Integer> SEEN = new ConcurrentHashMap<>();

  static {
    Runtime.getRuntime().addShutdownHook(new Thread(() -> System.out.println(new TreeMap<>(SEEN))));
  }

  private final Set<Block> watched = ConcurrentHashMap.newKeySet();

  private static @Nullable NDList seen(String kind) {
    SEEN.merge(kind, 1, Integer::sum);
    return null;
  }

  @Override
  public @Nullable NDList beforeForward(Block block, String path, NDList inputs) {
    if (watched.add(block)) {
      for (Pair<String, Parameter> parameter : block.getDirectParameters()) {
        if (parameter.getValue().requiresGradient()) {
          Hooks.registerHook(
              parameter.getValue().getArray(),
              (NDArray gradient) -> {
                seen("parameter");
                return null;
              });
          Hooks.registerPostAccumulateGradHook(
              parameter.getValue(), (NDArray leaf) -> seen("accumulated"));
        }
      }
    }
    return seen("forward pre");
  }

  @Override
  public @Nullable NDList afterForward(
      Block block, String path, NDList inputs, @Nullable NDList outputs) {
    if (!path.endsWith(FIRST)) { // without a graph yet
      Hooks.registerHook(
          outputs.head(),
          (NDArray gradient) -> {
            seen("tensor");
            return null;
          });
    }
    return seen("forward");
  }

  @Override
  public @Nullable NDList beforeBackward(Block block, String path, NDList gradOutputs) {
    return seen("backward pre");
  }

  @Override
  public @Nullable NDList afterBackward(
      Block block, String path, NDList gradInputs, NDList gradOutputs) {
    return seen("backward");
  }
}
