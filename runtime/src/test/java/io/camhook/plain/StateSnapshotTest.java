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
    final Handle handle = new Handle();
    int steps = 3;
  }

  /** Something else that the module refers to. */
  private static final class Cache {
    final Map<String, String> entries = new HashMap<>();
    final List<String> log = new ArrayList<>();
  }

  /** A network that is not itself a layer. */
  private static final class Network {
    final List<Layer> layers = new ArrayList<>(List.of(new Layer()));
    final float[] last = {7};
    final Metrics metrics = new Metrics();
    int passes = 1;
  }

  /** A counter of the whole application. */
  private static final class Metrics {
    int requests = 1;
    final int[] histogram = {1};
  }

  /** Its content is not in its fields. */
  private static final class Handle implements AutoCloseable {
    long address = 1;

    @Override
    public void close() {}
  }

  private static StateSnapshot noted(Object root) {
    StateSnapshot snapshot = StateSnapshot.of(List.of(root), Layer.class::isInstance);
    snapshot.take();
    return snapshot;
  }

  @Test
  void what_a_backward_writes_should_be_put_back_and_what_others_write_should_stay() {
    Layer layer = new Layer();
    float[] input = {5};
    layer.inputs.push(input);
    layer.cache.entries.put("before", "a");
    StateSnapshot snapshot = noted(layer);

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

  @Test
  void objects_that_the_root_only_refers_to_should_be_left_alone() {
    Network network = new Network();
    StateSnapshot snapshot = noted(network);

    network.passes++;
    network.last[0] = 0;
    network.layers.get(0).gradient[0] = 0;
    network.layers.get(0).handle.address = 2;
    network.metrics.requests++; // another request
    network.metrics.histogram[0]++;
    snapshot.restore();

    assertThat(network.passes).isEqualTo(1);
    assertThat(network.last).containsExactly(7);
    assertThat(network.layers.get(0).gradient).containsExactly(1, 2);
    assertThat(network.layers.get(0).handle.address).isEqualTo(2);
    assertThat(network.metrics.requests).isEqualTo(2);
    assertThat(network.metrics.histogram).containsExactly(2);
  }

  @Test
  void bytes_should_be_those_of_the_arrays_that_are_copied() {
    // gradient: 2 · 4, last: 4
    assertThat(StateSnapshot.of(List.of(new Network()), Layer.class::isInstance).bytes())
        .isEqualTo(12);
  }
}
