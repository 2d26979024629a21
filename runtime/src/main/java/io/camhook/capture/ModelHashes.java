package io.camhook.capture;

import io.camhook.recording.ModelFile;
import io.camhook.recording.ModelInfo;
import java.io.IOException;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/*
 * A model is noted with its first capture, and once more when its hash is known:
 *
 *   application          recorder.model(info, file)     remembers the file, reads nothing
 *   writer's thread      noted(info)                    first time: a thread begins to read the file
 *   that thread          hash known → again(info)       the writer notes it with the next capture, or at the end
 *
 * Either noted() sees the hash, or the thread sees the info that was noted: each writes its own half before it
 * reads the other's.
 */
/**
 * Hashes of the files that models were loaded from, computed in the background: on a thread of the
 * lowest priority that reads for a quarter of its time. Thread-safe.
 */
final class ModelHashes {
  /** Larger files are not hashed: reading one would keep disk and core busy for a minute. */
  static final long LARGEST = 4L << 30;

  /** Pauses for each part of work. */
  private static final int PAUSES = 3;

  private final Consumer<ModelInfo> again;
  private final Map<String, Entry> entries = new ConcurrentHashMap<>();
  private volatile boolean hurry;

  /** A model's file, and the progress of its hash. */
  private static final class Entry {
    final ModelFile file;
    volatile @Nullable ModelInfo noted;
    volatile @Nullable String sha256;
    volatile @Nullable String problem;
    @Nullable Thread thread;

    Entry(ModelFile file) {
      this.file = file;
    }
  }

  /**
   * @param again takes a model whose hash has become known after it was noted
   */
  ModelHashes(Consumer<ModelInfo> again) {
    this.again = again;
  }

  /** A model was loaded from a file; the file of an earlier one of that name is forgotten. */
  void file(String model, @Nullable ModelFile file) {
    if (file == null) {
      entries.remove(model);
    } else {
      entries.compute(
          model, (name, old) -> old != null && old.file.equals(file) ? old : new Entry(file));
    }
  }

  /** The model to note now: with its hash if it is known; otherwise hashing begins. */
  ModelInfo noted(ModelInfo model) {
    Entry entry = entries.get(model.name());
    if (entry == null) {
      return model;
    }
    entry.noted = model;
    begin(entry);
    return complete(entry, model);
  }

  private static ModelInfo complete(Entry entry, ModelInfo model) {
    String sha256 = entry.sha256;
    String problem = entry.problem;
    return sha256 != null
        ? model.hashed(sha256)
        : problem != null ? model.with("no hash: " + problem) : model;
  }

  private synchronized void begin(Entry entry) {
    if (entry.thread != null) {
      return;
    }
    Thread thread = new Thread(() -> read(entry), "camhook-model-hash");
    thread.setDaemon(true);
    thread.setPriority(Thread.MIN_PRIORITY);
    entry.thread = thread;
    thread.start();
  }

  private void read(Entry entry) {
    try {
      if (entry.file.size() > LARGEST) {
        entry.problem = "its file has %d bytes, which takes too long".formatted(entry.file.size());
      } else {
        long[] from = {System.nanoTime()};
        entry.sha256 = entry.file.sha256(() -> rest(from));
      }
    } catch (IOException e) {
      entry.problem = "its file could not be read: " + e.getMessage();
    } catch (InterruptedException | RuntimeException | OutOfMemoryError e) {
      entry.problem = "its file was not read: " + e;
    }
    ModelInfo noted = entry.noted;
    if (noted != null) {
      again.accept(noted);
    }
  }

  /** After a chunk, pauses for three times as long as it took. */
  private void rest(long[] from) {
    if (!hurry) {
      LockSupport.parkNanos(PAUSES * (System.nanoTime() - from[0]));
    }
    from[0] = System.nanoTime();
  }

  /** At the end: waits up to that long for hashes in progress. */
  void finish(long millis) {
    hurry = true;
    long deadline = System.nanoTime() + millis * 1_000_000;
    for (Entry entry : entries.values()) {
      Thread thread = entry.thread;
      long left = (deadline - System.nanoTime()) / 1_000_000;
      if (thread != null && left > 0) {
        LockSupport.unpark(thread);
        try {
          thread.join(left);
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
          return;
        }
      }
    }
  }
}
