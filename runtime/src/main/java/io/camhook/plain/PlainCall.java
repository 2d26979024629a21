package io.camhook.plain;

import org.jspecify.annotations.Nullable;

/** One running call of a woven method on one thread. */
public interface PlainCall {
  /** The arguments, before the method sees them; changed in place if a hook replaces them. */
  void before(Object[] arguments);

  /**
   * The method ended.
   *
   * @param result what it returned, null if it threw or returns nothing
   * @param thrown what it threw, null if it returned
   * @return the result that the caller gets
   */
  @Nullable Object after(@Nullable Object result, @Nullable Throwable thrown);
}
