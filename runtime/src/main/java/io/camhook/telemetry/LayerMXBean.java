package io.camhook.telemetry;

import java.util.Map;

/**
 * What a {@code stats} hook sees of one layer, over JMX: {@code
 * io.camhook:type=Layer,model="resnet18",layer="layer4",value="activation"}.
 */
public interface LayerMXBean {
  /** Observed steps. */
  long getSteps();

  /** Mean of the last step; NaN if it had no finite value. */
  double getMean();

  /** Euclidean norm of the last step; NaN if it had no finite value. */
  double getNorm();

  /** NaN and infinite values of all steps. */
  long getNonFinite();

  /** Channels in the last step; 0 if the values have none. */
  int getChannels();

  /** How many of these channels were zero everywhere. */
  int getDeadChannels();

  /** Averaged distance from the baseline, in its standard deviations; NaN without a baseline. */
  double getDrift();

  /** Whether that exceeds the hook's {@code warn}. */
  boolean isDrifting();

  /** Steps by the distance of their mean from the baseline, such as {@code <= 2} deviations. */
  Map<String, Long> getMeanDrifts();

  /** Steps by the distance of their norm from the baseline. */
  Map<String, Long> getNormDrifts();

  /** Steps by the share of dead channels, such as {@code <= 10} percent. */
  Map<String, Long> getDeadShares();

  /** Steps by the share of NaN and infinite values, in percent. */
  Map<String, Long> getNonFiniteShares();
}
