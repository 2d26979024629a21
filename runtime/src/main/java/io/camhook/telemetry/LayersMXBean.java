package io.camhook.telemetry;

import java.util.List;
import java.util.Map;

/** The layer statistics of the {@code stats} hooks over JMX: {@code io.camhook:type=Layers}. */
public interface LayersMXBean {
  /** One line for each layer. */
  List<String> getLayers();

  /** Layers that drift from their baseline now. */
  List<String> getDrifting();

  /** NaN and infinite values that were seen. */
  long getNonFinite();

  /** Channels that were zero everywhere in the last step, of all layers. */
  long getDeadChannels();

  /** Steps by their distance from the baseline, in standard deviations. */
  Map<String, Long> getDrifts();
}
