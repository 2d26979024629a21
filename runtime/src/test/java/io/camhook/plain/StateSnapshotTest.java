package io.camhook.plain;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.Test;

class StateSnapshotTest {
  /** A module: its own stack and gradients are what a backward writes to. */
  private static final class Layer {
    final Deque<float[]> inputs = new ArrayDeque<>();
    final float[] gradient = {1, 2};
    final Queue<String> requests = new ConcurrentLinkedQueue<>();
    final Cache cache = new Cache();
    int steps = 3;
  }

  /** Something else that the module refers to. */
  private static final class Cache {
    final Map<String, String> entries = new HashMap<>();
    final List<String> log = new ArrayList<>();
  }

  @Test
  void what_a_backward_writes_should_be_put_back_and_what_others_write_should_stay() {
    Layer layer = new Layer();
    float[] input = {5};
    layer.inputs.push(input);
    layer.cache.entries.put("before", "a");
    StateSnapshot snapshot = StateSnapshot.of(layer, Layer.class::isInstance);

    layer.inputs.pop();
    layer.gradient[1] = 9;
    layer.steps++;
    layer.requests.add("from another thread");
    layer.cache.entries.put("meanwhile", "b");
    layer.cache.log.add("meanwhile");
    snapshot.restore();

    assertThat(layer.inputs).containsExactly(input);
    assertThat(layer.gradient).containsExactly(1, 2);
    assertThat(layer.steps).isEqualTo(3);
    assertThat(layer.requests).containsExactly("from another thread");
    assertThat(layer.cache.entries).containsOnlyKeys("before", "meanwhile");
    assertThat(layer.cache.log).containsExactly("meanwhile");
  }
}
