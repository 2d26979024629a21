package io.camhook.agent.yaml;

import io.camhook.config.CamhookConfig;
import io.camhook.config.CamhookConfig.DiskLimits;
import io.camhook.config.CamhookConfig.Limits;
import io.camhook.config.CamhookConfig.Limits.WhenFull;
import io.camhook.config.CamhookConfig.Model;
import io.camhook.config.CamhookConfig.Output;
import io.camhook.config.CamhookConfig.Permissions;
import io.camhook.config.CamhookConfig.Sampling;
import io.camhook.config.Condition;
import io.camhook.config.SinkSettings;
import java.io.IOException;
import java.io.Reader;
import java.io.StringReader;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.composer.Composer;
import org.yaml.snakeyaml.error.MarkedYAMLException;
import org.yaml.snakeyaml.error.YAMLException;
import org.yaml.snakeyaml.nodes.Node;
import org.yaml.snakeyaml.parser.ParserImpl;
import org.yaml.snakeyaml.reader.StreamReader;
import org.yaml.snakeyaml.resolver.Resolver;

/**
 * Reads {@code camhook.yaml} and its overrides into a validated {@link CamhookConfig}, or reports
 * every mistake in it.
 */
public final class ConfigReader {
  private static final long SHARD_BYTES = 1L << 30;
  private static final String DIRECTORY = "captures/%t-%p";

  private final Overrides overrides;
  private final DirectoryPattern.Process process;
  private final List<SinkReader> sinks;

  /**
   * @param overrides values that take precedence over the file
   * @param environment the environment variables that {@code ${NAME}} may name
   * @param start when the process began, for {@code %t}
   * @param pid for {@code %p}
   * @param host for {@code %h}, called only if the pattern contains it, because it may take time
   * @param sinks the kinds of sinks that {@code output} can name
   */
  public ConfigReader(
      Overrides overrides,
      Function<String, @Nullable String> environment,
      Instant start,
      long pid,
      Supplier<String> host,
      List<SinkReader> sinks) {
    this.overrides = overrides;
    this.sinks = sinks;
    this.process = new DirectoryPattern.Process(start, pid, host, environment);
  }

  /** A configuration, and the dotted keys that can be overridden. */
  public record Result(CamhookConfig config, Set<String> keys) {}

  /**
   * Reads a file.
   *
   * @param file the YAML, or null to take the overrides and defaults alone
   * @throws InvalidConfigException with all problems
   */
  public Result read(@Nullable Path file) throws InvalidConfigException {
    return file == null ? read("options", null, "") : read(file.toString(), file, text(file));
  }

  private static String text(Path file) throws InvalidConfigException {
    try {
      return Files.readString(file);
    } catch (NoSuchFileException e) {
      throw unreadable(file, "no such file, looked for " + file.toAbsolutePath());
    } catch (CharacterCodingException e) {
      throw unreadable(file, "is not UTF-8 text");
    } catch (IOException e) {
      throw unreadable(file, "cannot be read: " + e.getMessage());
    }
  }

  private static InvalidConfigException unreadable(Path file, String message) {
    return new InvalidConfigException(List.of(new Problem(file.toString(), "", message)));
  }

  private Result read(String source, @Nullable Path file, String text)
      throws InvalidConfigException {
    Reading reading = new Reading(source, overrides);
    Node document = document(reading, new StringReader(text));
    CamhookConfig config = config(reading, document, file);
    if (!reading.problems().isEmpty()) {
      throw new InvalidConfigException(reading.problems());
    }
    return new Result(config, reading.known());
  }

  private static @Nullable Node document(Reading reading, Reader yaml)
      throws InvalidConfigException {
    try {
      // The same as Yaml.compose, without the half of the library that makes and writes objects.
      LoaderOptions options = new LoaderOptions();
      return new Composer(new ParserImpl(new StreamReader(yaml), options), new Resolver(), options)
          .getSingleNode();
    } catch (MarkedYAMLException e) {
      String at = e.getProblemMark() == null ? reading.source() : reading.at(e.getProblemMark());
      reading.report(at, "", "is not YAML: " + e.getProblem());
    } catch (YAMLException e) {
      reading.report(reading.source(), "", "is not YAML: " + e.getMessage());
    }
    throw new InvalidConfigException(reading.problems());
  }

  private CamhookConfig config(Reading reading, @Nullable Node document, @Nullable Path file) {
    try (Section root = new Section(reading, "", document)) {
      root.choice("version", Map.of("1", 1), 1);
      ModelReader models = new ModelReader(reading, file);
      List<Model> entries = new ArrayList<>();
      for (Section section : root.sections("models")) {
        entries.add(models.read(section));
      }
      Sampling sampling = sampling(root, reading);
      try (Section limits = root.section("limits")) {
        return new CamhookConfig(
            entries,
            sampling,
            limits(limits),
            output(root, reading, disk(limits)),
            logEvery(root),
            root.flag("dryRun", false));
      }
    }
  }

  private static Sampling sampling(Section root, Reading reading) {
    try (Section section = root.section("sampling")) {
      return new Sampling(
          section.number("rate", 0, 1, 1),
          section.count("every", 1),
          section.number("maxPerSecond", 0, Double.POSITIVE_INFINITY, Double.POSITIVE_INFINITY),
          condition(section.scalar("when", ConditionText.EXPECTED), reading));
    }
  }

  private static @Nullable Condition condition(@Nullable Scalar when, Reading reading) {
    if (when == null) {
      return null;
    }
    try {
      return ConditionText.parse(when.text());
    } catch (IllegalArgumentException e) {
      reading.expected(when, ConditionText.EXPECTED);
      return null;
    }
  }

  private static Limits limits(Section section) {
    return new Limits(
        section.bytes("queue", Map.of("auto", Limits.AUTO), Limits.AUTO),
        section.choice(
            "whenFull", Map.of("drop", WhenFull.DROP, "block", WhenFull.BLOCK), WhenFull.DROP),
        section.time("maxWait", Limits.DEFAULT_MAX_WAIT),
        section.time("close", Limits.DEFAULT_CLOSE),
        section.flag("exact", false));
  }

  private static DiskLimits disk(Section section) {
    Duration maxAge = section.time("maxAge", Duration.ZERO);
    return new DiskLimits(
        section.bytes("disk", Long.MAX_VALUE),
        section.bytes("diskFree", Map.of("auto", DiskLimits.AUTO, "0", 0L), DiskLimits.AUTO),
        maxAge.isZero() ? null : maxAge,
        section.choice(
            "whenDiskFull",
            Map.of("rotate", DiskLimits.WhenFull.ROTATE, "stop", DiskLimits.WhenFull.STOP),
            DiskLimits.WhenFull.ROTATE));
  }

  private Output output(Section root, Reading reading, DiskLimits disk) {
    try (Section section = root.section("output")) {
      return new Output(
          expand(section.scalar("directory", "a directory"), reading),
          section.bytes("shard", SHARD_BYTES),
          section.choice(
              "permissions",
              Map.of("owner", Permissions.OWNER, "umask", Permissions.UMASK),
              Permissions.OWNER),
          disk,
          sink(section, reading));
    }
  }

  /** Reads all kinds, so that their keys are known. */
  private @Nullable SinkSettings sink(Section output, Reading reading) {
    SinkSettings first = null;
    for (SinkReader kind : sinks) {
      SinkSettings found = kind.read(output, reading, process);
      first = first == null ? found : first;
    }
    return first;
  }

  private static Duration logEvery(Section root) {
    try (Section section = root.section("log")) {
      return section.time("every", Duration.ZERO);
    }
  }

  private String expand(@Nullable Scalar directory, Reading reading) {
    try {
      return DirectoryPattern.expand(directory == null ? DIRECTORY : directory.text(), process);
    } catch (IllegalArgumentException e) {
      if (directory != null) {
        reading.report(directory.at(), directory.key(), String.valueOf(e.getMessage()));
      }
      return DIRECTORY;
    }
  }
}
