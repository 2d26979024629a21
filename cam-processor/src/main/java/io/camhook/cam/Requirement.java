package io.camhook.cam;

/** The data that a method requires. */
public enum Requirement {
  /** The activation A of the layer. */
  ACTIVATION("the activation of the layer", "record it: capture: [activation]"),
  /** The gradient g of the target score with respect to A. */
  GRADIENT(
      "the gradient of the target with respect to the layer",
      "record it: capture: [gradient] and a target other than none"),
  /** The gradient of FinerCAM's own target with respect to A. */
  FINER_GRADIENT(
      "the gradient of FinerCAM's own target", "run the model for it: camhook explain -m finercam"),
  /** The row of the final linear layer that belongs to the target class. */
  CLASSIFIER(
      "the weights of the linear classifier after the layer",
      "use gradcam, which needs none and differs by a factor on such networks"),
  /** The product of A with the Hessian of the target with respect to A. */
  CURVATURE(
      "the Hessian-vector product of the target",
      "run the model for it: camhook explain -m shapleycam"),
  /** The model itself, to run it again on changed inputs or activations. */
  MODEL("the model, which it runs again", "run the model for it: camhook explain");

  private final String what;
  private final String remedy;

  Requirement(String what, String remedy) {
    this.what = what;
    this.remedy = remedy;
  }

  /** One line for a user who asked {@code method} of data that lacks this. */
  CamException missing(String method, String path) {
    return new CamException(
        "%s needs %s, which is missing for layer %s; %s".formatted(method, what, path, remedy));
  }
}
