package io.camhook.dispatch;

import java.lang.ref.WeakReference;
import org.jspecify.annotations.Nullable;

/**
 * The module hooks of this JVM: those for all modules, and those of single modules, which are held
 * weakly: a hook lives as long as its module or until it is removed. Thread-safe. While there is a
 * hook, {@link Dispatch#active} stays true; when a module with hooks has been collected, that is
 * noticed at the next registration, removal or forward.
 */
public final class HookTable {
  private static final HookEntry[] NONE = {};
  private static final ModuleHooks GLOBAL = new ModuleHooks();
  private static final WeakIdentityMap<Object, ModuleHooks> MODULES = new WeakIdentityMap<>();

  private static volatile int globals;
  private static volatile boolean empty = true;

  private HookTable() {}

  /**
   * Adds a hook.
   *
   * @param module null for a global hook
   * @return removes it; idempotent, and holds neither module nor hook
   */
  public static synchronized Runnable add(
      @Nullable Object module, HookEntry entry, boolean prepend) {
    HookList list =
        (module == null ? GLOBAL : MODULES.computeIfAbsent(module, ModuleHooks::new))
            .list(entry.kind().moment());
    list.add(entry, prepend);
    if (module == null) {
      globals++;
    }
    update();
    return new Removal(list, new WeakReference<>(entry), module);
  }

  /** Hooks for all modules, in order. */
  public static HookEntry[] global(HookMoment moment) {
    return globals == 0 ? NONE : GLOBAL.of(moment);
  }

  /** Hooks of one module, in order. */
  public static HookEntry[] of(Object module, HookMoment moment) {
    ModuleHooks hooks = MODULES.get(module);
    return hooks == null ? NONE : hooks.of(moment);
  }

  /** Hooks of one module, null if it has none. */
  public static @Nullable ModuleHooks of(Object module) {
    return MODULES.get(module);
  }

  /** Whether there are hooks for all modules. */
  public static boolean hasGlobal() {
    return globals > 0;
  }

  /** Whether there is no hook at all. */
  public static boolean isEmpty() {
    if (MODULES.hasDead()) {
      forgetCollected();
    }
    return empty;
  }

  private static synchronized void forgetCollected() {
    update();
  }

  /** Updates the flags of {@link Dispatch} after a change; call with the lock held. */
  private static void update() {
    boolean now = globals == 0 && MODULES.size() == 0;
    if (now != empty) {
      empty = now;
      if (now) {
        Dispatch.release();
      } else {
        Dispatch.retain();
      }
    }
  }

  private static final class Removal implements Runnable {
    private final WeakReference<HookList> list;
    private final WeakReference<HookEntry> entry;
    private final @Nullable WeakReference<Object> module;

    Removal(HookList list, WeakReference<HookEntry> entry, @Nullable Object module) {
      this.list = new WeakReference<>(list);
      this.entry = entry;
      this.module = module == null ? null : new WeakReference<>(module);
    }

    @Override
    public void run() {
      synchronized (HookTable.class) {
        removeNow();
      }
    }

    private void removeNow() {
      HookList from = list.get();
      HookEntry which = entry.get();
      if (from == null || which == null || !from.remove(which)) {
        return;
      }
      if (module == null) {
        globals--;
      }
      Object owner = module == null ? null : module.get();
      if (owner != null) {
        forgetIfBare(owner);
      }
      update();
    }
  }

  private static void forgetIfBare(Object module) {
    ModuleHooks hooks = MODULES.get(module);
    if (hooks != null && hooks.forgetIfBare()) {
      MODULES.remove(module);
    }
  }
}
