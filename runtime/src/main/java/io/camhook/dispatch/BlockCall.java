package io.camhook.dispatch;

import org.jspecify.annotations.Nullable;

/** One running forward of one block on one thread. */
public interface BlockCall {
  /**
   * Forward ended.
   *
   * @param result what it returned, null if it threw
   * @param thrown what it threw, null if it returned
   * @return the result for the caller
   */
  @Nullable Object exit(@Nullable Object result, @Nullable Throwable thrown);

  /** Asked after {@link #exit} when forward threw: whether its caller gets the result instead. */
  default boolean recovered() {
    return false;
  }
}
