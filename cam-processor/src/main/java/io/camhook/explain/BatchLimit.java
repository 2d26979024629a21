package io.camhook.explain;

/**
 * Detects models that accept only one input at a time, such as a trace with a batch size of 1 in a
 * {@code view}. Such a model fails on the first batch but not on that batch's first sample alone.
 */
final class BatchLimit {
  static final String NOTICE =
      "the model takes one input at a time (a batch of 1 is fixed in its code), so methods that run"
          + " batches continue one by one";

  private boolean one;

  /** The model returned fewer outputs than it was given inputs. */
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
