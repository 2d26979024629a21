package io.camhook.kafka;

import io.camhook.capture.CaptureRefusedException;
import io.camhook.capture.CaptureSink;
import io.camhook.capture.CaptureStatus;
import io.camhook.capture.DaemonThread;
import io.camhook.dispatch.EventLog;
import io.camhook.recording.Capture;
import io.camhook.recording.ModelInfo;
import io.camhook.recording.Spool;
import java.io.IOException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/*
 * Every capture goes to the spool first, and counts as written then, so that a kill loses none that was
 * counted. A separate thread sends them in order. While the brokers do not answer, that thread retries with
 * growing delays, and nothing else changes.
 */
/** Keeps captures on disk until the brokers have acknowledged them. */
final class SpooledKafkaSink implements CaptureSink {
  private static final long POLL_MILLIS = 20;
  private static final long FIRST_DELAY_MILLIS = 100;
  private static final long LONGEST_DELAY_MILLIS = 10_000;

  /** How long to wait for room in a full spool while captures are being sent. */
  private static final Duration ROOM = Duration.ofSeconds(2);

  private static final Duration CLOSE = Duration.ofMillis(200);

  private final Spool spool;
  private final TopicWriter topic;
  private final Duration patience;
  private final EventLog log;
  private final Thread sender;

  /** Whether the brokers answer. */
  private volatile boolean sending = true;

  /** Set once nothing more is appended. */
  private volatile boolean ended;

  /** When to stop sending even if captures are left, by {@link System#nanoTime}. */
  private volatile long sendBy;

  private long refused;

  /**
   * @param patience how long the end of the JVM waits for the rest to be sent
   */
  SpooledKafkaSink(Spool spool, TopicWriter topic, Duration patience, EventLog log) {
    this.spool = spool;
    this.topic = topic;
    this.patience = patience;
    this.log = log;
    this.sender = DaemonThread.of("camhook-sender", this::send);
    sender.start();
  }

  @Override
  public void write(Capture capture) throws IOException {
    long until = System.nanoTime() + ROOM.toNanos();
    while (!spool.append(capture)) {
      if (!sending || System.nanoTime() - until > 0) {
        throw new IOException(
            "the spool in %s is full (output.kafka.spool)".formatted(spool.directory()));
      }
      pause(POLL_MILLIS);
    }
  }

  @Override
  public void model(ModelInfo model) throws IOException {
    spool.model(model);
  }

  @Override
  public void note(CaptureStatus status) throws IOException {
    spool.note(status.counters(), status.lossesByReason());
  }

  @Override
  public long gone() {
    return spool.gone();
  }

  private void send() {
    long delay = 0;
    long since = 0;
    Spool.@Nullable Waiting current = null;
    while (!isOver(current)) {
      try {
        if (current == null) {
          current = spool.next();
        }
        if (current == null) {
          Thread.sleep(POLL_MILLIS);
          continue;
        }
        topic.send(current.capture(), current.types(), new Arrival(current));
        current = null;
        sending = true;
        if (delay > 0) {
          log.warn(
              "captures are sent again, after %d s"
                  .formatted((System.nanoTime() - since) / 1_000_000_000));
          delay = 0;
        }
      } catch (CaptureRefusedException e) {
        if (current != null) {
          new Arrival(current).refused(e);
          current = null;
        }
      } catch (InterruptedException e) {
        // nobody should interrupt; `ended` ends this thread
      } catch (Throwable e) {
        sending = false;
        if (delay == 0) {
          since = System.nanoTime();
          log.warn(
              "captures cannot be sent; they wait in %s and it is tried again: %s"
                  .formatted(spool.directory(), e.getMessage()));
        }
        delay = Math.min(LONGEST_DELAY_MILLIS, Math.max(FIRST_DELAY_MILLIS, 2 * delay));
        pause(delay);
      }
    }
  }

  private boolean isOver(Spool.@Nullable Waiting current) {
    return ended && (System.nanoTime() - sendBy > 0 || (current == null && spool.waiting() == 0));
  }

  private void pause(long millis) {
    long until = System.nanoTime() + millis * 1_000_000;
    while (until - System.nanoTime() > 0 && !(ended && System.nanoTime() - sendBy > 0)) {
      try {
        Thread.sleep(POLL_MILLIS);
      } catch (InterruptedException e) {
        return;
      }
    }
  }

  /** Handles the outcome of sending a capture from the spool. */
  private final class Arrival implements Receipt {
    private final Spool.Waiting waiting;

    Arrival(Spool.Waiting waiting) {
      this.waiting = waiting;
    }

    @Override
    public void written() {
      waiting.arrived();
    }

    @Override
    public void refused(CaptureRefusedException why) {
      waiting.arrived();
      synchronized (SpooledKafkaSink.this) {
        if (refused++ == 0) {
          log.warn(
              "a capture that was spooled cannot be sent, further ones are only counted: "
                  + why.getMessage());
        }
      }
    }
  }

  @Override
  public void close(CaptureStatus status) throws IOException {
    spool.endWriting(status.counters(), status.lossesByReason());
    sendBy = System.nanoTime() + patience.toNanos();
    ended = true;
    try {
      sender.join(patience.toMillis() + POLL_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    topic.close(CLOSE);
    long waiting = spool.waiting();
    if (waiting > 0) {
      log.warn(
          "%d captures wait in %s; the next process with this spool sends them"
              .formatted(waiting, spool.directory()));
    }
    synchronized (this) {
      if (refused > 0) {
        log.warn(refused + " captures that were spooled could not be sent");
      }
    }
    spool.close();
  }
}
