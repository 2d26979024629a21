package io.camhook.config;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A validated {@code camhook.yaml}. Every list is immutable; every value has its default filled in,
 * so that readers decide nothing.
 *
 * @param models what to hook, in file order
 * @param sampling which forward passes are captured
 * @param limits memory and exactness
 * @param output where captures go
 * @param logEvery how often a line of counters is logged; zero for never
 * @param dryRun whether to report only what would be hooked: nothing is captured and no hook runs
 */
public record CamhookConfig(
    List<Model> models,
    Sampling sampling,
    Limits limits,
    Output output,
    Duration logEvery,
    boolean dryRun) {
  public CamhookConfig {
    models = List.copyOf(models);
  }

  /** Without a periodic log line. */
  public CamhookConfig(
      List<Model> models, Sampling sampling, Limits limits, Output output, boolean dryRun) {
    this(models, sampling, limits, output, Duration.ZERO, dryRun);
  }

  /** What is recorded of a pass. */
  public enum CaptureKind {
    /** The input picture, uint8 HWC, if it is available. */
    IMAGE,
    /** The model's inputs. */
    INPUT,
    /** The layers' outputs A. */
    ACTIVATION,
    /** ∂score/∂A. */
    GRADIENT,
    /** The model's outputs. */
    OUTPUT
  }

  /**
   * One entry of {@code models}.
   *
   * @param name label in recordings; a glob that matches the model's name, its file or its root
   *     class
   * @param layers module paths or globs ({@code *} within a segment, {@code **} across segments,
   *     {@code *} alone is every module, {@code auto})
   * @param capture what is recorded; empty when the entry only attaches hooks
   * @param target the scalar that is differentiated
   * @param labels file with one class name per line
   * @param hooks built-in hooks and the user's own
   * @param plain set for a plain Java network, whose methods are instrumented by name
   * @param scored where the model's output holds the scores
   * @param kept how much of a capture is kept
   */
  public record Model(
      String name,
      List<String> layers,
      Set<CaptureKind> capture,
      Target target,
      @Nullable Path labels,
      List<Hook> hooks,
      @Nullable PlainNetwork plain,
      Scored scored,
      Kept kept) {
    /** A model with its scores in the usual place, of which everything is kept. */
    public Model(
        String name,
        List<String> layers,
        Set<CaptureKind> capture,
        Target target,
        @Nullable Path labels,
        List<Hook> hooks,
        @Nullable PlainNetwork plain) {
      this(name, layers, capture, target, labels, hooks, plain, Scored.USUAL);
    }

    /** A model of which everything that is captured is kept. */
    public Model(
        String name,
        List<String> layers,
        Set<CaptureKind> capture,
        Target target,
        @Nullable Path labels,
        List<Hook> hooks,
        @Nullable PlainNetwork plain,
        Scored scored) {
      this(name, layers, capture, target, labels, hooks, plain, scored, Kept.ALL);
    }

    public Model {
      layers = List.copyOf(layers);
      capture = Set.copyOf(capture);
      hooks = List.copyOf(hooks);
    }
  }

  /**
   * How much of a capture is kept.
   *
   * @param precision type that float32 values are written in
   * @param maps whether Grad-CAM maps are kept instead of activations and gradients, and a
   *     thumbnail instead of the picture
   */
  public record Kept(Precision precision, boolean maps) {
    public static final Kept ALL = new Kept(Precision.FLOAT32, false);
  }

  /** Element types that a capture can be written in. */
  public enum Precision {
    FLOAT32,
    FLOAT16,
    BFLOAT16
  }

  /**
   * Which output holds a model's scores, and on which axis.
   *
   * @param output which of several outputs, by its position or its key in a dict; null for the
   *     first suitable one
   * @param classAxis the class axis of that output, from 1; null for the second axis
   */
  public record Scored(@Nullable String output, @Nullable Integer classAxis) {
    /** The first output that can hold scores, {@code [N,C,…]}. */
    public static final Scored USUAL = new Scored(null, null);

    /** Whether nothing was configured. */
    public boolean isUsual() {
      return equals(USUAL);
    }
  }

  /**
   * The scalar explained.
   *
   * @param kind how {@code value} is read
   * @param count N of {@code topN}; 1 otherwise
   * @param classIndex class of {@code class:N}; -1 otherwise
   * @param label name of {@code label:S}, file of {@code similarity:FILE}; null otherwise
   */
  public record Target(Kind kind, int count, int classIndex, @Nullable String label) {
    /** The forms of {@code target}. */
    public enum Kind {
      TOP,
      CLASS,
      LABEL,
      /**
       * The cosine similarity of the output to one in a file, along the last axis and summed over
       * the positions; models of onnxruntime only.
       */
      SIMILARITY,
      /** The application's own loss; plain networks only. */
      LOSS,
      NONE
    }

    public static final Target TOP1 = new Target(Kind.TOP, 1, -1, null);
    public static final Target LOSS = new Target(Kind.LOSS, 1, -1, null);
    public static final Target NONE = new Target(Kind.NONE, 1, -1, null);
  }

  /**
   * A hook attached by configuration.
   *
   * @param layers module paths or globs
   * @param hook {@code stats}, {@code nan-guard}, {@code print} or the name of a class
   * @param replaces whether a TorchScript or ONNX model continues with the value that the hook
   *     returns
   * @param options the entry's other keys, as strings
   */
  public record Hook(
      List<String> layers, String hook, boolean replaces, Map<String, String> options) {
    /** One that only looks inside a TorchScript model. */
    public Hook(List<String> layers, String hook, Map<String, String> options) {
      this(layers, hook, false, options);
    }

    public Hook {
      layers = List.copyOf(layers);
      options = Map.copyOf(options);
    }
  }

  /**
   * Which passes are captured.
   *
   * @param rate share of passes, 0 to 1
   * @param every how many of the passes that {@code rate} selects make one capture: every {@code
   *     every}th; 1 takes all
   * @param maxPerSecond upper bound of captures per second; infinite if not set
   * @param when the condition that a pass's result must meet to be captured; null takes all
   */
  public record Sampling(double rate, long every, double maxPerSecond, @Nullable Condition when) {
    /** Sampling by chance and rate limit only. */
    public Sampling(double rate, double maxPerSecond) {
      this(rate, 1, maxPerSecond, null);
    }
  }

  /**
   * Bounds.
   *
   * @param queueBytes bytes that captures waiting to be written may hold; {@link #AUTO} derives
   *     them from the heap and the container's memory
   * @param whenFull what happens to a capture that does not fit
   * @param maxWait with {@code BLOCK}, the longest time that a request waits for room in the queue
   * @param close how long the JVM waits at shutdown for captures to be written
   * @param exact whether the application always gets the plain method's result
   */
  public record Limits(
      long queueBytes, WhenFull whenFull, Duration maxWait, Duration close, boolean exact) {
    /** For {@code queueBytes}: derived when the queue is created. */
    public static final long AUTO = 0;

    public static final Duration DEFAULT_MAX_WAIT = Duration.ofSeconds(1);
    public static final Duration DEFAULT_CLOSE = Duration.ofSeconds(10);

    /** Waits a minute for room, so that a test or benchmark loses nothing. */
    public Limits(long queueBytes, WhenFull whenFull, boolean exact) {
      this(queueBytes, whenFull, Duration.ofMinutes(1), DEFAULT_CLOSE, exact);
    }

    /** The same with another queue. */
    public Limits withQueue(long bytes) {
      return new Limits(bytes, whenFull, maxWait, close, exact);
    }

    /** Policy of a full queue. */
    public enum WhenFull {
      DROP,
      BLOCK
    }
  }

  /**
   * Where captures go.
   *
   * @param directory the recording's directory, its pattern ({@code %t} start time, {@code %p} pid,
   *     {@code %h} host, {@code ${ENV:-default}}) expanded; null when nothing is recorded
   * @param shardBytes size at which a shard is closed and the next begun
   * @param permissions who may read what is written
   * @param disk how much of the disk a recording may take
   * @param sink the settings of the sink that replaces the directory; null if none
   */
  public record Output(
      @Nullable String directory,
      long shardBytes,
      Permissions permissions,
      DiskLimits disk,
      @Nullable SinkSettings sink) {
    /** A directory. */
    public Output(
        @Nullable String directory, long shardBytes, Permissions permissions, DiskLimits disk) {
      this(directory, shardBytes, permissions, disk, null);
    }

    /** Owner-only, of any size. */
    public Output(@Nullable String directory, long shardBytes) {
      this(directory, shardBytes, Permissions.OWNER, DiskLimits.NONE);
    }
  }

  /** Who may read what is written. */
  public enum Permissions {
    /** The process's own user: 0700 for directories, 0600 for files. */
    OWNER,
    /** As the process's umask allows. */
    UMASK
  }

  /**
   * How much of the disk a recording may take.
   *
   * @param maxBytes bytes of all shards together; {@link Long#MAX_VALUE} if not set
   * @param minFree bytes that stay free on the disk; {@link #AUTO} is 1 GiB, or 2 % of the disk if
   *     that is less
   * @param maxAge age at which captures are deleted; null keeps them
   * @param whenFull what happens at either bound
   */
  public record DiskLimits(
      long maxBytes, long minFree, @Nullable Duration maxAge, WhenFull whenFull) {
    /** For {@code minFree}: derived from the size of the disk. */
    public static final long AUTO = -1;

    public static final DiskLimits NONE = new DiskLimits(Long.MAX_VALUE, 0, null, WhenFull.STOP);

    /** Policy of a full disk. */
    public enum WhenFull {
      /** The oldest shards of the recording are deleted. */
      ROTATE,
      /** Nothing is captured until there is room again. */
      STOP
    }
  }
}
