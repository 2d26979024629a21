package io.camhook.builtin;

import io.camhook.dispatch.EventLog;
import io.camhook.recording.FileAccess;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * {@code stats.jsonl} in the recording's directory, one JSON object per line:
 *
 * <pre>
 * {"model":"resnet18","step":0,"path":"layer4","call":0,"value":"activation","output":0,
 *  "shape":[1,512,7,7],"count":25088,"mean":0.89,"std":1.1,"min":0,"max":12.4,
 *  "zeros":0.31,"norm":224.7,"nonFinite":0,"channels":512,"dead":3}
 * </pre>
 *
 * {@code value} is {@code activation} or {@code gradient}, {@code output} the number of the tensor
 * if a module returns several, {@code dead} the number of channels that are zero everywhere (for
 * tensors of three or more dimensions; channels are the second). The other fields are those of
 * {@link LayerCall} and {@link Summary}, null if the tensor has no finite values. The file is
 * opened by the first line; thread-safe.
 */
final class StatsFile implements AutoCloseable {
  static final String NAME = "stats.jsonl";

  private final Path directory;
  private final FileAccess access;
  private final EventLog log;
  private @Nullable FileChannel channel;

  /** Whether the file may end in the middle of a line. */
  private boolean torn;

  private long lost;
  private boolean closed;

  StatsFile(Path directory, FileAccess access, EventLog log) {
    this.directory = directory;
    this.access = access;
    this.log = log;
  }

  /**
   * Appends a line without keeping it in memory. A line that cannot be written is lost; the next
   * one is tried again.
   */
  synchronized void append(
      LayerCall call,
      String value,
      int output,
      long[] shape,
      Summary summary,
      ChannelCounts channels) {
    if (closed) {
      return;
    }
    String line = line(call, value, output, shape, summary, channels);
    boolean interrupted = Thread.interrupted(); // it would close the file
    try {
      write(torn ? "\n" + line : line);
    } catch (IOException e) {
      torn = true;
      closeChannel();
      if (lost++ == 0) {
        log.warn(
            "hook stats: a line of %s could not be written, further ones are only counted: %s"
                .formatted(directory.resolve(NAME), e));
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private void write(String line) throws IOException {
    if (!Files.exists(directory.resolve(NAME))) {
      closeChannel(); // the first line, or somebody has removed it
    }
    FileChannel open = channel;
    if (open == null) {
      access.createDirectories(directory);
      open =
          access.open(
              directory.resolve(NAME), StandardOpenOption.CREATE, StandardOpenOption.APPEND);
      channel = open;
    }
    ByteBuffer bytes = ByteBuffer.wrap(line.getBytes(StandardCharsets.UTF_8));
    while (bytes.hasRemaining()) {
      open.write(bytes);
      torn = bytes.hasRemaining();
    }
    torn = false;
  }

  private void closeChannel() {
    try {
      if (channel != null) {
        channel.close();
      }
    } catch (IOException e) {
      // the line was counted as lost, or all are written
    }
    channel = null;
  }

  private static String line(
      LayerCall call,
      String value,
      int output,
      long[] shape,
      Summary summary,
      ChannelCounts channels) {
    StringBuilder json = new StringBuilder(256);
    json.append("{\"model\":").append(quoted(call.model()));
    json.append(",\"step\":").append(call.step());
    json.append(",\"path\":").append(quoted(call.path()));
    json.append(",\"call\":").append(call.call());
    json.append(",\"value\":").append(quoted(value));
    json.append(",\"output\":").append(output);
    json.append(",\"shape\":").append(Arrays.toString(shape).replace(" ", ""));
    json.append(",\"count\":").append(summary.count());
    number(json, "mean", summary.mean());
    number(json, "std", summary.std());
    number(json, "min", summary.min());
    number(json, "max", summary.max());
    number(json, "zeros", summary.zeros());
    number(json, "norm", summary.norm());
    json.append(",\"nonFinite\":").append(summary.nonFinite());
    if (channels.count() > 0) {
      json.append(",\"channels\":").append(channels.count());
      json.append(",\"dead\":").append(channels.dead());
    }
    return json.append("}\n").toString();
  }

  /** JSON has no NaN. */
  private static void number(StringBuilder json, String key, double value) {
    json.append(",\"").append(key).append("\":");
    if (Double.isFinite(value)) {
      json.append(value);
    } else {
      json.append("null");
    }
  }

  private static String quoted(String text) {
    StringBuilder quoted = new StringBuilder("\"");
    for (char c : text.toCharArray()) {
      if (c == '"' || c == '\\') {
        quoted.append('\\').append(c);
      } else if (c < ' ') {
        quoted.append("\\u%04x".formatted((int) c));
      } else {
        quoted.append(c);
      }
    }
    return quoted.append('"').toString();
  }

  @Override
  public synchronized void close() {
    closed = true;
    closeChannel();
    if (lost > 1) {
      log.warn(
          "hook stats: %d lines of %s could not be written"
              .formatted(lost, directory.resolve(NAME)));
    }
  }
}
