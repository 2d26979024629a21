package io.camhook.explain;

/** How a picture is brought to the size that a model expects. */
public enum Fit {
  /** Each side separately: the picture is distorted. */
  STRETCH,
  /** The shorter side fits, and the middle of the longer one is kept: torchvision's transform. */
  CROP,
  /** The longer side fits; the mean colour is added beside the shorter one. */
  PAD
}
