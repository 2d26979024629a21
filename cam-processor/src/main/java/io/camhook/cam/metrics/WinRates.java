package io.camhook.cam.metrics;

import io.camhook.cam.CamException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Win rate: the share of inputs for which a method's {@link Confidence#relativeDrop} is the least
 * of all methods compared; methods that draw share the win, so that the rates add up to 1.
 *
 * <p>Chattopadhyay et al., "Grad-CAM++", WACV 2018, where two methods are compared.
 */
public final class WinRates {

  private WinRates() {}

  /**
   * The win rates.
   *
   * @param drops per method the relative drops, input by input in the same order
   * @throws CamException if the methods were measured on different numbers of inputs
   */
  public static Map<String, Double> of(Map<String, List<Double>> drops) {
    int inputs = drops.values().stream().mapToInt(List::size).max().orElse(0);
    Map<String, Double> rates = new LinkedHashMap<>();
    drops.forEach(
        (method, values) -> {
          if (values.size() != inputs) {
            throw new CamException(
                "the win rate compares methods on the same inputs: %s was measured on %d of %d"
                    .formatted(method, values.size(), inputs));
          }
          rates.put(method, 0.0);
        });
    for (int i = 0; i < inputs; i++) {
      int input = i;
      double least =
          drops.values().stream().mapToDouble(values -> values.get(input)).min().orElse(0);
      List<String> winners =
          drops.entrySet().stream()
              .filter(method -> method.getValue().get(input) == least)
              .map(Map.Entry::getKey)
              .toList();
      winners.forEach(method -> rates.merge(method, 1.0 / winners.size() / inputs, Double::sum));
    }
    return rates;
  }
}
