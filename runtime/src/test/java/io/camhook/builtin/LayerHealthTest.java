package io.camhook.builtin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.entry;

import io.camhook.builtin.Baseline.Key;
import io.camhook.builtin.Baseline.Usual;
import io.camhook.dispatch.KeptLog;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LayerHealthTest {
  private static final Key KEY = new Key("net", "conv", "activation");

  /** Mean 1 ± 0.5, norm 2 ± 1. */
  private static final Baseline BASELINE =
      new Baseline(Map.of(KEY, new Usual(100, 1, 0.5, 2, 1, 0, 0)));

  @TempDir Path folder;

  private final List<String> lines = new ArrayList<>();
  private final LayerHealth health = new LayerHealth(new KeptLog(lines, new ArrayList<>()));

  /** A step whose mean is that many deviations from the usual one. */
  private void step(double deviations) {
    double mean = 1 + 0.5 * deviations;
    health.observe(
        KEY, new Summary(4, mean, 0, mean, mean, 0, 2, 0), new ChannelCounts(8, 3), BASELINE, 4);
  }

  @Test
  void drifting_layer_should_raise_one_alarm_and_say_when_it_is_back() {
    List<LayerHealth.Layer> heard = new ArrayList<>();
    List<LayerHealth.Layer> appeared = new ArrayList<>();
    health.listen(
        new LayerHealth.Listener() {
          @Override
          public void appeared(LayerHealth.Layer layer) {
            appeared.add(layer);
          }

          @Override
          public void changed(LayerHealth.Layer layer) {
            heard.add(layer);
          }
        });
    for (int i = 0; i < 4; i++) {
      step(0);
    }
    step(19); // one odd input: the average of five is 3.8
    assertThat(lines).isEmpty();
    step(6); // (19 + 6) ÷ 6 = 4.17
    assertThat(lines)
        .singleElement()
        .asString()
        .startsWith(
            "model net, layer conv, activation: drifts from its baseline: 4.2 standard deviations");
    step(6);
    step(6);
    assertThat(lines).hasSize(1);
    assertThat(only().drifting()).isTrue();
    for (int i = 0; i < 20; i++) {
      step(0);
    }
    assertThat(lines)
        .hasSize(2)
        .last()
        .isEqualTo("model net, layer conv, activation: is as in its baseline again");
    assertThat(heard).extracting(LayerHealth.Layer::drifting).containsExactly(true, false);
    assertThat(appeared).hasSize(1);
    assertThat(only().drifting()).isFalse();
    // 24 steps at 0, three at 6, one at 19
    assertThat(only().meanDrifts().inWords())
        .containsExactly(
            entry("<= 1", 24L),
            entry("<= 2", 0L),
            entry("<= 4", 0L),
            entry("<= 8", 3L),
            entry("> 8", 1L));
    // each norm is the usual one
    assertThat(only().normDrifts().counts()).containsExactly(28L, 0L, 0L, 0L, 0L);
  }

  private LayerHealth.Layer only() {
    assertThat(health.layers()).hasSize(1);
    return health.now(health.layers().get(0));
  }

  @Test
  void norm_should_count_as_the_mean_does() {
    for (int i = 0; i < 5; i++) {
      // norm 7 is 5 deviations from 2
      health.observe(
          KEY, new Summary(4, 1, 0, 1, 1, 0, 7, 0), new ChannelCounts(8, 3), BASELINE, 4);
    }
    assertThat(only().drifting()).isTrue();
    assertThat(only().normDrifts().counts()).containsExactly(0L, 0L, 0L, 5L, 0L);
    assertThat(only().meanDrifts().counts()).containsExactly(5L, 0L, 0L, 0L, 0L);
  }

  @Test
  void layer_without_a_baseline_should_be_counted_and_never_drift() {
    health.observe(
        KEY, Summary.of(new float[] {Float.NaN, 1, 2}), new ChannelCounts(8, 3), null, 4);
    health.observe(KEY, Summary.of(new float[] {0, 1, 2}), new ChannelCounts(200, 1), null, 4);
    LayerHealth.Layer layer = only();
    assertThat(layer.nonFinite()).isEqualTo(1);
    assertThat(layer.deadChannels()).isEqualTo(1);
    assertThat(layer.channels()).isEqualTo(200);
    assertThat(layer.drift()).isNaN();
    assertThat(layer.meanDrifts().counts()).containsOnly(0L);
    // 1 of 3 values, then none: 33 %, 0 %
    assertThat(layer.nonFiniteShares().inWords())
        .containsExactly(
            entry("<= 0", 1L),
            entry("<= 1", 0L),
            entry("<= 10", 0L),
            entry("<= 50", 1L),
            entry("> 50", 0L));
    // 3 of 8 channels, then 1 of 200: 37.5 %, 0.5 %
    assertThat(layer.deadShares().counts()).containsExactly(0L, 1L, 0L, 1L, 0L);
  }

  @Test
  void layer_of_several_models_should_be_apart() {
    Key other = new Key("other", "conv", "activation");
    health.observe(KEY, Summary.of(new float[] {1}), new ChannelCounts(0, 0), null, 4);
    health.observe(other, Summary.of(new float[] {2}), new ChannelCounts(0, 0), null, 4);
    assertThat(health.layers()).extracting(LayerHealth.Layer::mean).containsExactly(1.0, 2.0);
    // no channels: no share of dead ones
    assertThat(health.layers().get(0).deadShares().counts()).containsOnly(0L);
  }

  @Test
  void channel_should_be_dead_if_it_is_zero_in_every_sample() {
    // [2,3,2]: channel 0 lives in the first sample, 1 nowhere, 2 in the second
    float[] values = {1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2};
    assertThat(ChannelCounts.of(values, new long[] {2, 3, 2})).isEqualTo(new ChannelCounts(3, 1));
    assertThat(ChannelCounts.of(values, new long[] {2, 6})).isEqualTo(new ChannelCounts(0, 0));
  }

  @Test
  void baseline_should_be_read_as_it_was_written() throws IOException {
    Path file = folder.resolve("base.json");
    BASELINE.write(file);
    assertThat(Baseline.read(file)).isEqualTo(BASELINE);
    assertThat(Files.readString(file)).contains("\"layer\" : \"conv\"");
  }

  @Test
  void file_that_is_no_baseline_should_be_named() throws IOException {
    Path file = Files.writeString(folder.resolve("x.json"), "{\"version\":1,\"layers\":[]}");
    assertThatThrownBy(() -> Baseline.read(file))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("expected a baseline, which camhook baseline writes");
    Files.writeString(file, "{\"version\":1,\"layers\":[{\"model\":\"m\"}]}");
    assertThatThrownBy(() -> Baseline.read(file)).hasMessageContaining("lacks \"layer\"");
    Files.writeString(file, "{");
    assertThatThrownBy(() -> Baseline.read(file)).hasMessageContaining("not JSON");
  }
}
