package app;

import ai.djl.ndarray.NDList;
import ai.djl.nn.Block;
import io.camhook.ForwardHook;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentSkipListMap;
import org.jspecify.annotations.Nullable;

/** An application's own hook: prints at the end what it saw of each layer, and how often. */
public final class LayerShapes implements ForwardHook<Block, NDList> {
  private static final Map<String, Integer> SEEN = new ConcurrentSkipListMap<>();

  static {
    Runtime.getRuntime().addShutdownHook(new Thread(() -> System.err.println(new TreeMap<>(SEEN))));
  }

  @Override
  public @Nullable NDList afterForward(
      Block block, String path, NDList inputs, @Nullable NDList outputs) {
    SEEN.merge(
        path + " " + inputs.head().getShape() + " -> " + outputs.head().getShape(),
        1,
        Integer::sum);
    return null;
  }
}
