package io.camhook.dispatch;

/** The hooks of one module. Thread-safe. */
public final class ModuleHooks {
  private final HookList[] lists = new HookList[HookMoment.values().length];
  private volatile boolean forgotten;

  ModuleHooks() {
    for (int i = 0; i < lists.length; i++) {
      lists[i] = new HookList();
    }
  }

  /** Hooks of one moment, in order; not to be changed. */
  public HookEntry[] of(HookMoment moment) {
    return list(moment).snapshot();
  }

  /**
   * Whether the last hook was removed: hooks that are added later are in another object, see {@link
   * HookTable}.
   */
  public boolean isForgotten() {
    return forgotten;
  }

  HookList list(HookMoment moment) {
    return lists[moment.ordinal()];
  }

  /** Marks it as forgotten if it has no hooks; returns whether it did. */
  boolean forgetIfBare() {
    for (HookList list : lists) {
      if (!list.isEmpty()) {
        return false;
      }
    }
    forgotten = true;
    return true;
  }
}
