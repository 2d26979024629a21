package io.camhook.dispatch;

import org.jspecify.annotations.Nullable;

/** camhook's log: one line per event. Implementations are thread-safe and never throw. */
public interface EventLog {
  /** Information that the user asked for. */
  void info(String message);

  /** A problem, and what to do about it. */
  void warn(String message);

  /** A failure of camhook itself, with its stack trace. */
  void failure(String message, Throwable cause);

  /** Discards everything. */
  EventLog SILENT =
      new EventLog() {
        @Override
        public void info(String message) {}

        @Override
        public void warn(String message) {}

        @Override
        public void failure(String message, @Nullable Throwable cause) {}
      };
}
