package io.camhook.ort;

import org.jspecify.annotations.Nullable;

/**
 * The side sessions for one of the application's sessions.
 *
 * @param capturing runs passes that are captured; null if no layer is recorded
 * @param looking runs all other passes if hooks look at layers; null if there are no such hooks
 * @param replacing repeats every pass with the values from hooks; null if no hook replaces values
 * @param hooks the hooks
 */
record SideSessions(
    @Nullable SideSession capturing,
    @Nullable SideSession looking,
    @Nullable ReplacingSessions replacing,
    LayerHooks hooks)
    implements AutoCloseable {
  @Override
  public void close() {
    if (capturing != null) {
      capturing.close();
    }
    if (looking != null) {
      looking.close();
    }
    if (replacing != null) {
      replacing.close();
    }
  }
}
