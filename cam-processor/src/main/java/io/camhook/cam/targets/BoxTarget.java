package io.camhook.cam.targets;

/** A target about a detector's boxes. */
public sealed interface BoxTarget extends ScoreTarget permits BoxScore, BoxClassSum, BoxOutput {

  /** The target's class; -1 if the output has no classes. */
  int index();

  /** The target's box, among all boxes of the detector. */
  Detection among(java.util.List<Detection> all);
}
