package io.camhook.explain;

/**
 * Whether a model takes one input at a time only, as a trace does that has a batch of 1 in a {@code
 * view}. Found out by the first batch that fails where its first sample alone does not.
 */
final class BatchLimit {
  static final String NOTICE =
      "the model takes one input at a time (a batch of 1 is fixed in its code), so methods that run"
          + " batches go on one by one";

  private boolean one;

  /** The model gave fewer outputs than it was fed inputs. */
  static final class Exceeded extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Exceeded() {
      super("the outputs of a batch are not one for each input", null, false, false);
    }
  }

  boolean isOne() {
    return one;
  }

  void setOne() {
    one = true;
  }
}
