package io.camhook.telemetry;

import java.util.List;

/**
 * All layers that {@code stats} hooks see, over JMX: {@code io.camhook:type=Layers}. Each has a
 * bean of its own beside it, see {@link LayerMXBean}.
 */
public interface LayersMXBean {
  /** One line for each layer. */
  List<String> getLayers();

  /** Layers that drift from their baseline now. */
  List<String> getDrifting();

  /** NaN and infinite values that were seen. */
  long getNonFinite();

  /** Channels that were zero everywhere in the last step, of all layers. */
  long getDeadChannels();
}
