package io.camhook.torchscript.flow;

/** How a tap must treat the value that it records, as a bit mask. */
public final class TapMode {
  private TapMode() {}

  /** The value may be a parameter, buffer, constant or the like, which must not get a gradient. */
  public static final int SHARED_WITH_STATE = 1;

  /** An operator changes the value in place after the call. */
  public static final int CHANGED_LATER = 2;

  /** Another variable of the program that is still in use may share memory with the value. */
  public static final int ALIASES_LIVE_VALUE = 4;

  /** The value is an argument of the call, not its result. */
  public static final int ARGUMENT = 8;
}
