package io.camhook.ort;

import org.jspecify.annotations.Nullable;

/**
 * What runs beside one session of the application's.
 *
 * @param capturing for passes that are captured; null if no layer is recorded
 * @param looking for all others, where hooks look at layers; null if there are none
 * @param replacing what computes every pass again with the values of hooks; null if none replace
 * @param hooks what looks
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
