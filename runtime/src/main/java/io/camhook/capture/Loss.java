package io.camhook.capture;

import java.util.Map;
import java.util.TreeMap;

/** Why a capture was not written. Every lost capture counts under exactly one of these. */
public enum Loss {
  QUEUE_FULL(Kind.DROPPED, "queue full"),
  TOO_LARGE(Kind.DROPPED, "larger than the queue"),
  WAITED(Kind.DROPPED, "waited limits.maxWait"),
  INTERRUPTED(Kind.DROPPED, "thread interrupted while waiting"),
  PAUSED(Kind.DROPPED, "output paused after a failure"),
  SWITCHED_OFF(Kind.DROPPED, "switched off, out of memory"),
  CLOSED(Kind.DROPPED, "queue closed"),
  NOT_IN_TIME(Kind.DROPPED, "still waiting after limits.close"),
  PASS(Kind.FAILED, "pass could not be captured"),
  CAPTURE(Kind.FAILED, "capture could not be read"),
  REFUSED(Kind.FAILED, "refused by the output"),
  OUTPUT(Kind.FAILED, "output failed until the end"),
  HANGING(Kind.FAILED, "still being written after limits.close"),
  UNACKNOWLEDGED(Kind.FAILED, "sent, not acknowledged within limits.close"),
  REMOVED(Kind.FAILED, "removed from the directory by others");

  /** The two ways to lose a capture. */
  public enum Kind {
    /** Given up, although nothing was wrong with it. */
    DROPPED,
    /** Lost to an error. */
    FAILED
  }

  private final Kind kind;
  private final String reason;

  Loss(Kind kind, String reason) {
    this.kind = kind;
    this.reason = reason;
  }

  public Kind kind() {
    return kind;
  }

  /** In words, for people and for the manifest. */
  public String reason() {
    return reason;
  }

  /** Reasons in words: of one kind, or of both if it is null. */
  static Map<String, Long> byReason(Map<Loss, Long> losses) {
    Map<String, Long> reasons = new TreeMap<>();
    losses.forEach((loss, count) -> reasons.put(loss.reason, count));
    return reasons;
  }

  /** Reasons in words, of one kind. */
  static Map<String, Long> byReason(Map<Loss, Long> losses, Kind kind) {
    Map<String, Long> reasons = new TreeMap<>();
    losses.forEach(
        (loss, count) -> {
          if (loss.kind == kind) {
            reasons.put(loss.reason, count);
          }
        });
    return reasons;
  }
}
