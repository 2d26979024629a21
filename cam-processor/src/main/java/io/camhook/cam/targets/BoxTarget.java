package io.camhook.cam.targets;

/** A target about a detector's boxes. */
public sealed interface BoxTarget extends ScoreTarget permits BoxScore, BoxClassSum, BoxOutput {

  /** The class that is meant; -1 where the output of scores has none. */
  int index();

  /** The box that is meant, among all that the detector names. */
  Detection among(java.util.List<Detection> all);
}
