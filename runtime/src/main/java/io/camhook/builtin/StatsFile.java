package io.camhook.builtin;

import io.camhook.dispatch.EventLog;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * {@code stats.jsonl} in the recording's directory, one JSON object a line:
 *
 * <pre>
 * {"model":"resnet18","step":0,"path":"layer4","call":0,"value":"activation","output":0,
 *  "shape":[1,512,7,7],"count":25088,"mean":0.89,"std":1.1,"min":0,"max":12.4,
 *  "zeros":0.31,"norm":224.7,"nonFinite":0}
 * </pre>
 *
 * {@code value} is {@code activation} or {@code gradient}, {@code output} the number of the tensor
 * where a module returns several; the rest is of {@link LayerCall} and {@link Summary}, with null
 * for what a tensor without finite values does not have. Opened by the first line; thread-safe.
 */
final class StatsFile implements AutoCloseable {
  static final String NAME = "stats.jsonl";

  private final Path directory;
  private final EventLog log;
  private @Nullable BufferedWriter writer;
  private boolean failed;

  StatsFile(Path directory, EventLog log) {
    this.directory = directory;
    this.log = log;
  }

  synchronized void append(
      LayerCall call, String value, int output, long[] shape, Summary summary) {
    if (failed) {
      return;
    }
    try {
      open().write(line(call, value, output, shape, summary));
    } catch (IOException e) {
      failed = true;
      log.warn("hook stats: %s cannot be written: %s".formatted(directory.resolve(NAME), e));
    }
  }

  private BufferedWriter open() throws IOException {
    BufferedWriter open = writer;
    if (open == null) {
      Files.createDirectories(directory);
      open =
          Files.newBufferedWriter(
              directory.resolve(NAME), StandardOpenOption.CREATE, StandardOpenOption.APPEND);
      writer = open;
    }
    return open;
  }

  private static String line(
      LayerCall call, String value, int output, long[] shape, Summary summary) {
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
    return json.append(",\"nonFinite\":").append(summary.nonFinite()).append("}\n").toString();
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
    if (writer != null) {
      try {
        writer.close();
      } catch (IOException e) {
        log.warn("hook stats: %s cannot be written: %s".formatted(directory.resolve(NAME), e));
      }
    }
    writer = null;
    failed = true;
  }
}
