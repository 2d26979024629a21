package io.camhook.capture;

import io.camhook.recording.ModelContent;
import io.camhook.recording.ModelFile;
import io.camhook.recording.ModelInfo;
import java.io.IOException;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/*
 * A model is noted with its first capture, and once more when its hash is known:
 *
 *   application          recorder.model(info, file)     remembers the file, reads nothing; or
 *   first request        recorder.captured(info, …)     holds on to the parameters, reads nothing
 *   writer's thread      noted(info)                    first time: a thread begins to read file or parameters
 *   that thread          hash known → again(info)       the writer notes it with the next capture, or at the end
 *
 * Either noted() sees the hash, or the thread sees the info that was noted: each writes its own half before it
 * reads the other's.
 */
/**
 * Hashes of the files that models were loaded from, or of their parameters, computed in the
 * background: on a thread of the lowest priority that reads for a quarter of its time. Thread-safe.
 */
final class ModelHashes {
  /** What is larger is not hashed: reading it would keep disk and core busy for a minute. */
  static final long LARGEST = 4L << 30;

  /** Pauses for each part of work. */
  private static final int PAUSES = 3;

  private final Consumer<ModelInfo> again;
  private final Map<String, Entry> entries = new ConcurrentHashMap<>();
  private volatile boolean hurry;

  /** A model's content, and the progress of its hash. */
  private static final class Entry {
    final ModelContent content;
    volatile boolean several;
    volatile @Nullable ModelInfo noted;
    volatile @Nullable String sha256;
    volatile @Nullable String problem;
    @Nullable Thread thread;

    Entry(ModelContent content) {
      this.content = content;
    }
  }

  /**
   * @param again takes a model whose hash has become known after it was noted
   */
  ModelHashes(Consumer<ModelInfo> again) {
    this.again = again;
  }

  /**
   * A model was loaded from a file, null if unknown; the file of an earlier one of that name is
   * forgotten.
   */
  void file(String model, @Nullable ModelFile file) {
    entries.compute(
        model,
        (name, old) -> {
          if (old != null && !(old.content instanceof ModelFile)) {
            old.several = true;
            return old;
          }
          if (file == null) {
            return null;
          }
          return old != null && old.content.equals(file) ? old : new Entry(file);
        });
  }

  /**
   * A model is captured for the first time, and its file is not known. An application may make a
   * model for each request, so of several models of one name only the first is hashed.
   */
  void parameters(String model, Supplier<ModelContent> parameters) {
    entries.compute(
        model,
        (name, old) -> {
          if (old == null) {
            return hurry ? null : new Entry(parameters.get());
          }
          old.several = true;
          return old;
        });
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
    if (sha256 == null) {
      return problem == null ? model : model.with("no hash: " + problem);
    }
    ModelInfo hashed = entry.content.hashed(model, sha256);
    return entry.several
        ? hashed.with("several models had this name: the hash is that of the first captured one")
        : hashed;
  }

  private synchronized void begin(Entry entry) {
    if (entry.thread != null || hurry) {
      return;
    }
    Thread thread = new Thread(() -> read(entry), "camhook-model-hash");
    thread.setDaemon(true);
    thread.setPriority(Thread.MIN_PRIORITY);
    entry.thread = thread;
    thread.start();
  }

  private void read(Entry entry) {
    ModelContent content = entry.content;
    try (content) {
      if (content.size() > LARGEST) {
        entry.problem =
            "reading %d bytes of its %s takes too long".formatted(content.size(), content.what());
      } else {
        long[] from = {System.nanoTime()};
        entry.sha256 = content.sha256(() -> rest(from));
      }
    } catch (IOException e) {
      entry.problem = "its %s could not be read: %s".formatted(content.what(), e.getMessage());
    } catch (InterruptedException | RuntimeException | OutOfMemoryError | LinkageError e) {
      entry.problem = "its %s could not be read: %s".formatted(content.what(), e);
    }
    ModelInfo noted = entry.noted;
    if (noted != null) {
      again.accept(noted);
    }
  }

  /** After a chunk, pauses for three times as long as it took. */
  private void rest(long[] from) throws InterruptedException {
    if (!hurry) {
      LockSupport.parkNanos(PAUSES * (System.nanoTime() - from[0]));
    }
    if (Thread.interrupted()) {
      throw new InterruptedException();
    }
    from[0] = System.nanoTime();
  }

  /** At the end: waits up to that long for hashes in progress, and gives up the others. */
  void finish(long millis) {
    stopBeginning();
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
        thread.interrupt();
      }
    }
  }

  private synchronized void stopBeginning() {
    hurry = true;
    for (Entry entry : entries.values()) {
      if (entry.thread == null) {
        entry.content.close();
      }
    }
  }
}
