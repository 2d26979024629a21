package io.camhook.dispatch;

import java.lang.ref.WeakReference;
import java.util.EnumMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The module hooks of this JVM: those for all modules, and those of single modules, which are held
 * weakly: a hook lives as long as its module or until it is removed. Thread-safe. While there is a
 * hook, {@link Dispatch#active} stays true; when a module with hooks has been collected, that is
 * noticed at the next registration, removal or forward.
 */
public final class HookTable {
  private static final HookEntry[] NONE = {};
  private static final Map<HookKind, HookList> GLOBAL = lists();
  private static final WeakIdentityMap<Object, Map<HookKind, HookList>> MODULES =
      new WeakIdentityMap<>();

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
      HookKind kind, @Nullable Object module, HookEntry entry, boolean prepend) {
    HookList list = module == null ? list(GLOBAL, kind) : listOf(module, kind);
    list.add(entry, prepend);
    if (module == null) {
      globals++;
    }
    update();
    return new Removal(list, new WeakReference<>(entry), module);
  }

  /** Hooks for all modules, in order. */
  public static HookEntry[] global(HookKind kind) {
    return globals == 0 ? NONE : list(GLOBAL, kind).snapshot();
  }

  /** Hooks of one module, in order. */
  public static HookEntry[] of(Object module, HookKind kind) {
    Map<HookKind, HookList> lists = MODULES.get(module);
    return lists == null ? NONE : list(lists, kind).snapshot();
  }

  /** Whether there is a global hook, or one of {@code module}. */
  public static boolean concerns(Object module) {
    return globals > 0 || MODULES.get(module) != null;
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

  /** Under the lock: what {@link Dispatch} has to know after a change. */
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

  private static HookList listOf(Object module, HookKind kind) {
    return list(MODULES.computeIfAbsent(module, HookTable::lists), kind);
  }

  private static HookList list(Map<HookKind, HookList> lists, HookKind kind) {
    HookList list = lists.get(kind);
    if (list == null) {
      throw new IllegalStateException("no list for " + kind);
    }
    return list;
  }

  private static Map<HookKind, HookList> lists() {
    Map<HookKind, HookList> lists = new EnumMap<>(HookKind.class);
    for (HookKind kind : HookKind.values()) {
      lists.put(kind, new HookList());
    }
    return lists;
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
    Map<HookKind, HookList> lists = MODULES.get(module);
    if (lists != null && lists.values().stream().allMatch(HookList::isEmpty)) {
      MODULES.remove(module);
    }
  }
}
