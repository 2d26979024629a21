package io.camhook.dispatch;

import java.lang.ref.ReferenceQueue;
import java.lang.ref.WeakReference;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A map with weak keys that compares them by identity, because an engine's tensors may compare by
 * contents. A value must not refer to its key. Thread-safe.
 */
public final class WeakIdentityMap<K, V> {
  private final ConcurrentMap<Object, V> map = new ConcurrentHashMap<>();
  private final ReferenceQueue<Object> dead = new ReferenceQueue<>();

  public @Nullable V get(K key) {
    return map.isEmpty() ? null : map.get(new Probe(key));
  }

  /** The value, created if there is none. */
  public V computeIfAbsent(K key, Supplier<V> make) {
    V known = get(key);
    if (known != null) {
      return known;
    }
    forgetDead();
    return map.computeIfAbsent(new Weak(key, dead), k -> make.get());
  }

  public void put(K key, V value) {
    forgetDead();
    map.put(new Weak(key, dead), value);
  }

  public @Nullable V remove(K key) {
    forgetDead();
    return map.remove(new Probe(key));
  }

  public boolean isEmpty() {
    return map.isEmpty();
  }

  /** Number of live keys, as far as the garbage collector has reported. */
  public int size() {
    forgetDead();
    return map.size();
  }

  /** A copy of the values of live keys, as far as the garbage collector has reported. */
  public List<V> values() {
    forgetDead();
    return List.copyOf(map.values());
  }

  /** Whether keys may have been collected since the last call of {@link #size}. */
  boolean hasDead() {
    Object gone = dead.poll();
    if (gone == null) {
      return false;
    }
    map.remove(gone);
    return true;
  }

  private void forgetDead() {
    for (Object gone = dead.poll(); gone != null; gone = dead.poll()) {
      map.remove(gone);
    }
  }

  private interface Identity {
    @Nullable Object referent();
  }

  private static final class Weak extends WeakReference<Object> implements Identity {
    private final int hash;

    Weak(Object key, ReferenceQueue<Object> queue) {
      super(key, queue);
      hash = System.identityHashCode(key);
    }

    @Override
    public @Nullable Object referent() {
      return get();
    }

    @Override
    public int hashCode() {
      return hash;
    }

    @Override
    public boolean equals(@Nullable Object other) {
      if (this == other) {
        return true;
      }
      Object mine = get();
      return mine != null && other instanceof Identity identity && identity.referent() == mine;
    }
  }

  private record Probe(Object referent) implements Identity {
    @Override
    public int hashCode() {
      return System.identityHashCode(referent);
    }

    @Override
    public boolean equals(@Nullable Object other) {
      return other instanceof Identity identity && identity.referent() == referent;
    }
  }
}
