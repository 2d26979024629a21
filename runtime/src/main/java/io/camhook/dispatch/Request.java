package io.camhook.dispatch;

/** One sampled request of a predictor, from its inputs to its outputs, on one thread. */
public interface Request extends AutoCloseable {
  @Override
  void close();
}
