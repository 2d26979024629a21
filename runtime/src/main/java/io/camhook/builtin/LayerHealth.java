package io.camhook.builtin;

import io.camhook.builtin.Baseline.Key;
import io.camhook.builtin.Baseline.Usual;
import io.camhook.dispatch.EventLog;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/*
 * A single odd input is no drift. So the distance from the baseline, in its standard deviations, is averaged
 * over the last steps: d ← d + (now − d) / 10, and for the first ten the mean of all. Beyond the threshold a
 * layer drifts; it has recovered when it is below half of it, so that a value at the threshold does not raise
 * an alarm every minute.
 */
/** What the {@code stats} hooks of this JVM have seen, for its operator. Thread-safe. */
public final class LayerHealth {
  /** Upper bounds of the classes that drifts are counted in; one more has what is above. */
  public static final List<Integer> CLASSES = List.of(1, 2, 4, 8);

  private static final int WINDOW = 10;

  /** Steps before the first alarm. */
  private static final int FIRST = 5;

  private final EventLog log;
  private final Map<Key, State> states = new LinkedHashMap<>();
  private final List<Consumer<Layer>> listeners = new CopyOnWriteArrayList<>();
  private final long[] drifts = new long[CLASSES.size() + 1];
  private long nonFinite;

  /**
   * The current state of one layer.
   *
   * @param steps observed steps
   * @param mean of the last step
   * @param norm of the last step
   * @param nonFinite NaN and infinite values of all steps
   * @param channels channels in the last step; 0 if the values have no channels
   * @param deadChannels how many of these channels were zero everywhere
   * @param drift averaged distance of the mean or the norm from the baseline, whichever is larger,
   *     in standard deviations; NaN without a baseline
   * @param drifting whether {@code drift} exceeds the threshold
   */
  public record Layer(
      String model,
      String layer,
      String value,
      long steps,
      double mean,
      double norm,
      long nonFinite,
      int channels,
      int deadChannels,
      double drift,
      boolean drifting) {}

  private static final class State {
    long steps;
    long compared;
    double driftOfMean;
    double driftOfNorm;
    double mean = Double.NaN;
    double norm = Double.NaN;
    long nonFinite;
    int channels;
    int dead;
    boolean drifting;

    double drift() {
      return compared == 0 ? Double.NaN : Math.max(Math.abs(driftOfMean), Math.abs(driftOfNorm));
    }

    Layer layer(Key key) {
      return new Layer(
          key.model(),
          key.layer(),
          key.value(),
          steps,
          mean,
          norm,
          nonFinite,
          channels,
          dead,
          drift(),
          drifting);
    }
  }

  public LayerHealth(EventLog log) {
    this.log = log;
  }

  /**
   * Notifies {@code listener} of each layer that starts or stops drifting, on the request's thread.
   */
  public void listen(Consumer<Layer> listener) {
    listeners.add(listener);
  }

  /** Notes one step of one layer. */
  void observe(
      Key key, Summary summary, ChannelCounts channels, @Nullable Baseline baseline, double warn) {
    Layer changed = null;
    synchronized (this) {
      State state = states.computeIfAbsent(key, ignored -> new State());
      state.steps++;
      state.mean = summary.mean();
      state.norm = summary.norm();
      state.nonFinite += summary.nonFinite();
      nonFinite += summary.nonFinite();
      state.channels = channels.count();
      state.dead = channels.dead();
      Usual usual = baseline == null ? null : baseline.of(key);
      if (usual != null && Double.isFinite(summary.mean())) {
        changed = compare(key, state, summary, usual, warn);
      }
    }
    if (changed != null) {
      Layer now = changed;
      say(now, warn);
      listeners.forEach(listener -> listener.accept(now));
    }
  }

  private @Nullable Layer compare(Key key, State state, Summary summary, Usual usual, double warn) {
    double mean = usual.driftOfMean(summary.mean());
    double norm = usual.driftOfNorm(summary.norm());
    state.compared++;
    double share = 1.0 / Math.min(WINDOW, state.compared);
    state.driftOfMean += (mean - state.driftOfMean) * share;
    state.driftOfNorm += (norm - state.driftOfNorm) * share;
    double step = Math.max(Math.abs(mean), Math.abs(norm));
    int at = 0;
    while (at < CLASSES.size() && step > CLASSES.get(at)) {
      at++;
    }
    drifts[at]++;
    boolean before = state.drifting;
    if (!before && state.compared >= FIRST && state.drift() > warn) {
      state.drifting = true;
    } else if (before && state.drift() < warn / 2) {
      state.drifting = false;
    }
    return state.drifting == before ? null : state.layer(key);
  }

  private void say(Layer layer, double warn) {
    String where = "model %s, layer %s, %s".formatted(layer.model(), layer.layer(), layer.value());
    if (layer.drifting()) {
      log.warn(
          String.format(
              Locale.ROOT,
              "%s: drifts from its baseline: %.1f standard deviations over the last steps (warn:"
                  + " %s); mean %.4g, norm %.4g",
              where,
              layer.drift(),
              warn,
              layer.mean(),
              layer.norm()));
    } else {
      log.info(where + ": is as in its baseline again");
    }
  }

  /** Every layer that was seen. */
  public synchronized List<Layer> layers() {
    List<Layer> layers = new ArrayList<>();
    states.forEach((key, state) -> layers.add(state.layer(key)));
    return layers;
  }

  /** Steps whose distance from the baseline was in a class of {@link #CLASSES}. */
  public synchronized long drifts(int at) {
    return drifts[at];
  }

  /** NaN and infinite values that were seen. */
  public synchronized long nonFinite() {
    return nonFinite;
  }

  /** Channels of all layers that were zero everywhere in the last step. */
  public synchronized long deadChannels() {
    return states.values().stream().mapToLong(state -> state.dead).sum();
  }

  /** Layers that drift now. */
  public synchronized long drifting() {
    return states.values().stream().filter(state -> state.drifting).count();
  }
}
