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
import org.jspecify.annotations.Nullable;

/*
 * A single odd input is no drift. So the distance from the baseline, in its standard deviations, is averaged
 * over the last steps: d ← d + (now − d) / 10, and for the first ten the mean of all. Beyond the threshold a
 * layer drifts; it has recovered when it is below half of it, so that a value at the threshold does not raise
 * an alarm every minute.
 */
/** What the {@code stats} hooks of this JVM have seen, for its operator. Thread-safe. */
public final class LayerHealth {
  /** Classes of a step's distance from the baseline, in standard deviations. */
  public static final List<Integer> DEVIATIONS = List.of(1, 2, 4, 8);

  /** Classes of a share of a step's channels or values, in percent. */
  public static final List<Integer> PERCENT = List.of(0, 1, 10, 50);

  private static final int WINDOW = 10;

  /** Steps before the first alarm. */
  private static final int FIRST = 5;

  private final EventLog log;
  private final Map<Key, State> states = new LinkedHashMap<>();
  private final List<Listener> listeners = new CopyOnWriteArrayList<>();

  /** Is told what happens to layers, on the request's thread. */
  public interface Listener {
    /** A layer was seen for the first time. */
    default void appeared(Layer layer) {}

    /** A layer began or ceased to drift. */
    default void changed(Layer layer) {}
  }

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
   * @param meanDrifts steps by the distance of their mean from the baseline, in standard deviations
   * @param normDrifts the same of their norm
   * @param deadShares steps by the share of dead channels, in percent
   * @param nonFiniteShares steps by the share of NaN and infinite values, in percent
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
      boolean drifting,
      Histogram meanDrifts,
      Histogram normDrifts,
      Histogram deadShares,
      Histogram nonFiniteShares) {
    private Key key() {
      return new Key(model, layer, value);
    }
  }

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
    final Histogram.Counter meanDrifts = new Histogram.Counter(DEVIATIONS);
    final Histogram.Counter normDrifts = new Histogram.Counter(DEVIATIONS);
    final Histogram.Counter deadShares = new Histogram.Counter(PERCENT);
    final Histogram.Counter nonFiniteShares = new Histogram.Counter(PERCENT);

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
          drifting,
          meanDrifts.read(),
          normDrifts.read(),
          deadShares.read(),
          nonFiniteShares.read());
    }
  }

  public LayerHealth(EventLog log) {
    this.log = log;
  }

  /** Tells {@code listener} from now on. */
  public void listen(Listener listener) {
    listeners.add(listener);
  }

  /** Notes one step of one layer. */
  void observe(
      Key key, Summary summary, ChannelCounts channels, @Nullable Baseline baseline, double warn) {
    boolean changed = false;
    Layer layer;
    synchronized (this) {
      State state = states.computeIfAbsent(key, ignored -> new State());
      state.steps++;
      state.mean = summary.mean();
      state.norm = summary.norm();
      state.nonFinite += summary.nonFinite();
      state.nonFiniteShares.add(percent(summary.nonFinite(), summary.count()));
      state.channels = channels.count();
      state.dead = channels.dead();
      if (state.channels > 0) {
        state.deadShares.add(percent(state.dead, state.channels));
      }
      Usual usual = baseline == null ? null : baseline.of(key);
      if (usual != null && Double.isFinite(summary.mean())) {
        changed = compare(state, summary, usual, warn);
      }
      layer = changed || state.steps == 1 ? state.layer(key) : null;
    }
    if (layer == null) {
      return;
    }
    if (layer.steps() == 1) {
      listeners.forEach(listener -> listener.appeared(layer));
    }
    if (changed) {
      say(layer, warn);
      listeners.forEach(listener -> listener.changed(layer));
    }
  }

  private static double percent(long part, long whole) {
    return whole == 0 ? 0 : 100.0 * part / whole;
  }

  /** Returns whether the layer begins or ceases to drift. */
  private static boolean compare(State state, Summary summary, Usual usual, double warn) {
    double mean = usual.driftOfMean(summary.mean());
    double norm = usual.driftOfNorm(summary.norm());
    state.compared++;
    double share = 1.0 / Math.min(WINDOW, state.compared);
    state.driftOfMean += (mean - state.driftOfMean) * share;
    state.driftOfNorm += (norm - state.driftOfNorm) * share;
    state.meanDrifts.add(Math.abs(mean));
    state.normDrifts.add(Math.abs(norm));
    boolean before = state.drifting;
    if (!before && state.compared >= FIRST && state.drift() > warn) {
      state.drifting = true;
    } else if (before && state.drift() < warn / 2) {
      state.drifting = false;
    }
    return state.drifting != before;
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

  /** Every layer that was seen, in the order in which they appeared. */
  public synchronized List<Layer> layers() {
    List<Layer> layers = new ArrayList<>();
    states.forEach((key, state) -> layers.add(state.layer(key)));
    return layers;
  }

  /** What is known now of a layer that was seen before. */
  public synchronized Layer now(Layer layer) {
    State state = states.get(layer.key());
    return state == null ? layer : state.layer(layer.key());
  }
}
