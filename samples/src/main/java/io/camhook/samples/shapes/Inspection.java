package io.camhook.samples.shapes;

import ai.djl.modality.Classifications;
import ai.djl.ndarray.NDArray;
import java.util.List;

/** The network's result for a picture: probabilities and logits. */
public final class Inspection extends Classifications {
  private final float[] logits;

  Inspection(List<String> classNames, NDArray probabilities, float[] logits) {
    super(classNames, probabilities);
    this.logits = logits;
  }

  /** One logit per class, in the order of the class names. */
  public float[] logits() {
    return logits.clone();
  }
}
