package io.camhook.cli;

import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.jspecify.annotations.Nullable;

/** A progress bar on a terminal; prints nothing if standard error is a file or a pipe. */
final class Progress implements AutoCloseable {
  /** Set by the launcher script, which knows. */
  private static final String TERMINAL = "camhook.terminal";

  /** The usual width of a terminal; the bar ends with its estimate, and the note comes after it. */
  private static final int WIDTH = 79;

  /** The part of it for a note, so that the bar and its estimate stay. */
  private static final int NOTE = 24;

  private final @Nullable ProgressBar bar;

  /**
   * Begins.
   *
   * @param task name of the task
   * @param unit name of the counted unit, with a leading space
   * @param total how many there will be, -1 if unknown
   */
  Progress(String task, String unit, long total) {
    this.bar =
        Boolean.getBoolean(TERMINAL)
            ? new ProgressBarBuilder()
                .setTaskName(task)
                .setUnit(unit, 1)
                .setInitialMax(total)
                .setStyle(ProgressBarStyle.COLORFUL_UNICODE_BAR)
                .setUpdateIntervalMillis(100)
                .setMaxRenderedLength(WIDTH)
                .clearDisplayOnFinish()
                .continuousUpdate()
                .build()
            : null;
  }

  void to(long done) {
    if (bar != null) {
      bar.stepTo(done);
    }
  }

  void step() {
    if (bar != null) {
      bar.step();
    }
  }

  /** Describes the work inside the current step. */
  void note(String message) {
    if (bar != null) {
      bar.setExtraMessage(" " + shortened(message));
    }
  }

  /** The end of a message shows the progress. */
  static String shortened(String message) {
    return message.length() <= NOTE
        ? message
        : "…" + message.substring(message.length() - NOTE + 1);
  }

  @Override
  public void close() {
    if (bar != null) {
      bar.close();
    }
  }
}
