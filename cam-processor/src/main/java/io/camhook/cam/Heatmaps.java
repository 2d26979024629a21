package io.camhook.cam;

import io.camhook.render.Bilinear;
import io.camhook.render.CubicZoom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Computes heatmaps from layers, per sample: raw map → ReLU → {@code (x - min) / (1e-7 + max)} →
 * linear resize to the input's size with half-pixel centres (volumes: cubic spline) → aggregation
 * over the layers → the same scaling once more. Immutable and thread-safe. The numbers are those of
 * pytorch-grad-cam.
 */
public final class Heatmaps {
  /** Keeps a constant map finite; pytorch-grad-cam's value. */
  static final double EPSILON = 1e-7;

  private final Aggregation aggregation;
  private final boolean eigenSmooth;

  private Heatmaps(Aggregation aggregation, boolean eigenSmooth) {
    this.aggregation = aggregation;
    this.eigenSmooth = eigenSmooth;
  }

  /** Mean over the layers, no smoothing. */
  public static Heatmaps standard() {
    return new Heatmaps(Aggregation.MEAN, false);
  }

  public Heatmaps withAggregation(Aggregation wanted) {
    return new Heatmaps(wanted, eigenSmooth);
  }

  /**
   * Uses the first principal component of the channels' terms instead of their sum, for methods
   * that compute such a sum; other methods are not affected.
   */
  public Heatmaps withEigenSmooth(boolean wanted) {
    return new Heatmaps(aggregation, wanted);
  }

  /**
   * Explains every sample of a batch.
   *
   * @param inputShape shape of the model's input with the batch first: {@code [N,C,L]}, {@code
   *     [N,C,H,W]} or {@code [N,C,D,H,W]}; the heatmap has its last dimensions. Empty if unknown:
   *     the heatmap then has the size of the largest map.
   * @throws CamException if the data lacks what the method needs
   */
  public List<CamResult> all(CamMethod method, List<LayerTensors> layers, long[] inputShape) {
    requireLayers(method, layers);
    List<CamResult> results = new ArrayList<>();
    for (int n = 0; n < layers.get(0).samples(); n++) {
      results.add(one(method, layers, inputShape, n));
    }
    return results;
  }

  /** Explains sample {@code index} of a batch; see {@link #all}. */
  public CamResult one(CamMethod method, List<LayerTensors> layers, long[] inputShape, int index) {
    requireLayers(method, layers);
    Map<String, FloatMap> raw = new LinkedHashMap<>();
    for (LayerTensors layer : layers) {
      raw.put(layer.path(), raw(method, layer, index, inputShape));
    }
    return of(method, raw, inputShape);
  }

  /**
   * The result of a method whose raw maps are known.
   *
   * @param raw by layer, of one sample; at least one
   */
  public CamResult of(CamMethod method, Map<String, FloatMap> raw, long[] inputShape) {
    raw.forEach((path, map) -> requireFinite(method, path, map));
    int[] size = Arrays.stream(inputShape).skip(2).mapToInt(Math::toIntExact).toArray();
    Aggregation rule = method.aggregation().orElse(aggregation);
    return new CamResult(method.id(), raw, heatmap(rule, List.copyOf(raw.values()), size));
  }

  private FloatMap raw(CamMethod method, LayerTensors layer, int index, long[] inputShape) {
    if (eigenSmooth && method instanceof ChannelSum sum) {
      LayerSample sample = layer.sample(index, inputShape);
      return sample.map(PrincipalComponent.linear(sum.terms(sample), sample.channels()));
    }
    return method.raw(layer, index, inputShape);
  }

  /**
   * The part of the pipeline after the raw maps.
   *
   * @param raw raw maps of one sample, of one rank
   * @param size spatial size of the heatmap; that of the largest map if it is empty or of another
   *     rank
   */
  public FloatMap heatmap(List<FloatMap> raw, int[] size) {
    return heatmap(aggregation, raw, size);
  }

  private static FloatMap heatmap(Aggregation rule, List<FloatMap> raw, int[] size) {
    int[] target = size.length == raw.get(0).rank() ? size : largest(raw);
    if (rule == Aggregation.MEAN && raw.size() == 1 && target.length < 3) {
      // Linear interpolation of values from 0 to 1 stays in that range: no second ReLU.
      FloatMap scaled = raw.get(0).relu().scaled(EPSILON);
      FloatMap resized = resize(scaled, target);
      return resized.scaledHere(EPSILON, Bilinear.range(resized.values(), scaled.shape(), target));
    }
    return rule.aggregate(raw, target).scaledHere(EPSILON);
  }

  /** The map resized to another size of the same rank, in the same way as the pipeline. */
  public static FloatMap resize(FloatMap map, int[] size) {
    float[] values =
        map.rank() == 3
            ? CubicZoom.resize(map.values(), map.shape(), size)
            : Bilinear.resize(map.values(), map.shape(), size);
    return FloatMap.of(values, size);
  }

  private static int[] largest(List<FloatMap> maps) {
    FloatMap best = maps.get(0);
    for (FloatMap map : maps) {
      if (map.values().length > best.values().length) {
        best = map;
      }
    }
    return best.shape();
  }

  private static FloatMap requireFinite(CamMethod method, String path, FloatMap map) {
    for (float v : map.values()) {
      if (!Float.isFinite(v)) {
        throw new CamException(
            NonFinite.describe("the " + method.id() + " map of layer " + path, map.values()));
      }
    }
    return map;
  }

  private static void requireLayers(CamMethod method, List<LayerTensors> layers) {
    if (layers.isEmpty()) {
      throw new CamException(
          method.id() + " was given no layer; name at least one that has a spatial output");
    }
  }
}
