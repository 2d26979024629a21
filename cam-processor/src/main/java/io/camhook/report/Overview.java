package io.camhook.report;

import com.fasterxml.jackson.core.JsonGenerator;
import io.camhook.report.HeatmapThumbnails.Small;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Summaries over many captures: the mean map of each class, and the similarity of methods. */
final class Overview {
  /**
   * Number of classes whose mean map is kept while reading; the most frequent of them are shown.
   */
  private static final int CLASSES_READ = 1000;

  private static final int CLASSES_SHOWN = 24;
  private static final int METHODS = 3;

  private record Key(String label, String method) {}

  private record Pair(String first, String second) {}

  private static final class Sum {
    private final Small like;
    private final double[] values;
    private int n;

    Sum(Small like) {
      this.like = like;
      this.values = new double[like.values().length];
    }
  }

  private final Map<Key, Sum> means = new LinkedHashMap<>();
  private final Map<String, Integer> classes = new LinkedHashMap<>();

  /** Sum and number. */
  private final Map<Pair, double[]> agreement = new LinkedHashMap<>();

  /**
   * Adds a capture.
   *
   * @param label the predicted class, empty if there is none
   * @return correlation of the maps of each two of its methods, by {@code agreement of A and B}
   */
  Map<String, Double> add(String label, Map<String, Small> heats) {
    if (classes.containsKey(label) || classes.size() < CLASSES_READ) {
      classes.merge(label, 1, Integer::sum);
      heats.entrySet().stream().limit(METHODS).forEach(e -> mean(label, e.getKey(), e.getValue()));
    }
    List<Map.Entry<String, Small>> all = new ArrayList<>(heats.entrySet());
    Map<String, Double> pairs = new LinkedHashMap<>();
    for (int i = 0; i < all.size(); i++) {
      for (int j = i + 1; j < all.size(); j++) {
        if (!all.get(i).getValue().fits(all.get(j).getValue())) {
          continue;
        }
        double r = all.get(i).getValue().correlation(all.get(j).getValue());
        if (Double.isFinite(r)) {
          double[] total =
              agreement.computeIfAbsent(
                  new Pair(all.get(i).getKey(), all.get(j).getKey()), p -> new double[2]);
          total[0] += r;
          total[1]++;
          pairs.put(
              "agreement of %s and %s".formatted(all.get(i).getKey(), all.get(j).getKey()), r);
        }
      }
    }
    return pairs;
  }

  private void mean(String label, String method, Small heat) {
    Sum sum = means.computeIfAbsent(new Key(label, method), k -> new Sum(heat));
    if (sum.like.fits(heat)) {
      sum.n++;
      for (int i = 0; i < sum.values.length; i++) {
        sum.values[i] += heat.values()[i];
      }
    }
  }

  /** Fields {@code means} and {@code agreement}. */
  void write(JsonGenerator json) throws IOException {
    List<String> shown =
        classes.entrySet().stream()
            .sorted(Comparator.comparing((Map.Entry<String, Integer> e) -> -e.getValue()))
            .limit(CLASSES_SHOWN)
            .map(Map.Entry::getKey)
            .toList();
    json.writeArrayFieldStart("means");
    for (Map.Entry<Key, Sum> entry : means.entrySet()) {
      if (!shown.contains(entry.getKey().label)) {
        continue;
      }
      Sum sum = entry.getValue();
      float[] mean = new float[sum.values.length];
      for (int i = 0; i < mean.length; i++) {
        mean[i] = (float) (sum.values[i] / sum.n);
      }
      Small small = new Small(sum.like.width(), sum.like.height(), mean);
      json.writeStartObject();
      json.writeStringField("label", entry.getKey().label);
      json.writeStringField("m", entry.getKey().method);
      json.writeNumberField("n", sum.n);
      json.writeNumberField("w", small.width());
      json.writeNumberField("h", small.height());
      ReportJson.base64(json, "data", small.levels());
      json.writeEndObject();
    }
    json.writeEndArray();
    json.writeArrayFieldStart("agreement");
    for (Map.Entry<Pair, double[]> entry : agreement.entrySet()) {
      json.writeStartArray();
      json.writeString(entry.getKey().first);
      json.writeString(entry.getKey().second);
      ReportJson.number(json, entry.getValue()[0] / entry.getValue()[1]);
      json.writeNumber((int) entry.getValue()[1]);
      json.writeEndArray();
    }
    json.writeEndArray();
  }
}
