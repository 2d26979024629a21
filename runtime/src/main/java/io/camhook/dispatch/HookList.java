package io.camhook.dispatch;

import java.util.Arrays;
import java.util.stream.Stream;

/**
 * Hooks in the order in which they run. Thread-safe: a change replaces the array, so a caller that
 * iterates over {@link #snapshot} sees the list as it was at that moment.
 */
public final class HookList {
  private static final HookEntry[] NONE = {};

  private volatile HookEntry[] entries = NONE;

  /** The current list; must not be modified. */
  public HookEntry[] snapshot() {
    return entries;
  }

  public synchronized void add(HookEntry entry, boolean prepend) {
    Stream<HookEntry> one = Stream.of(entry);
    Stream<HookEntry> present = Arrays.stream(entries);
    entries =
        (prepend ? Stream.concat(one, present) : Stream.concat(present, one))
            .toArray(HookEntry[]::new);
  }

  /** Whether the entry was there. */
  public synchronized boolean remove(HookEntry entry) {
    HookEntry[] rest =
        Arrays.stream(entries).filter(other -> other != entry).toArray(HookEntry[]::new);
    boolean removed = rest.length < entries.length;
    entries = rest.length == 0 ? NONE : rest;
    return removed;
  }

  public boolean isEmpty() {
    return entries.length == 0;
  }
}
