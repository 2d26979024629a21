package io.camhook.telemetry;

import java.util.Map;

/** {@code io.camhook:type=Recorder}: the counters of this JVM's captures. */
public interface RecorderMXBean {
  /** IDLE, RECORDING, PAUSED, OFF or CLOSED. */
  String getState();

  /** Why it is paused or off; empty otherwise. */
  String getReason();

  /** Where captures go. */
  String getDestination();

  /** Requests that were chosen to be captured. */
  long getSampled();

  /** Sampled requests whose result did not meet {@code sampling.when}. */
  long getSkipped();

  /** Captures: the sum of written, dropped and failed, plus those that wait. */
  long getFired();

  long getWritten();

  long getDropped();

  long getFailed();

  Map<String, Long> getDroppedByReason();

  Map<String, Long> getFailedByReason();

  long getBytesWritten();

  long getQueueBytes();

  long getQueueHighWaterBytes();

  long getQueueCapacityBytes();

  int getQueueLength();

  /** How many requests were held up for how long, by classes such as {@code <= 64 us}. */
  Map<String, Long> getRequestTime();

  long getRequestTimeMedianMicros();

  long getRequestTime99PercentMicros();
}
