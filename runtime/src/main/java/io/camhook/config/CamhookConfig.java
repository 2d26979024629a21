package io.camhook.config;

import java.nio.file.Path;
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
 * @param dryRun whether only to say what would be hooked: nothing is captured, no hook runs
 */
public record CamhookConfig(
    List<Model> models, Sampling sampling, Limits limits, Output output, boolean dryRun) {
  public CamhookConfig {
    models = List.copyOf(models);
  }

  /** What of one pass is recorded. */
  public enum CaptureKind {
    /** The picture as it was fed, uint8 HWC, where it can be had. */
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
   * @param labels file with one class name a line
   * @param hooks built-in hooks and the user's own
   * @param plain set for a plain Java network, whose methods are woven by name
   * @param scored where its scores are
   */
  public record Model(
      String name,
      List<String> layers,
      Set<CaptureKind> capture,
      Target target,
      @Nullable Path labels,
      List<Hook> hooks,
      @Nullable PlainNetwork plain,
      Scored scored) {
    /** A model whose scores are where they usually are. */
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

    public Model {
      layers = List.copyOf(layers);
      capture = Set.copyOf(capture);
      hooks = List.copyOf(hooks);
    }
  }

  /**
   * Where a model has its scores.
   *
   * @param output which of several outputs, by its position or its key in a dict; null: the first
   *     that can
   * @param classAxis which axis of it counts the classes, from 1 on; null: the second
   */
  public record Scored(@Nullable String output, @Nullable Integer classAxis) {
    /** The first output that can hold scores, {@code [N,C,…]}. */
    public static final Scored USUAL = new Scored(null, null);

    /** Whether nothing was said. */
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
       * The cosine of the output and of one that a file holds, along the last axis and summed over
       * the positions between; models of onnxruntime only.
       */
      SIMILARITY,
      /** What the application itself sends backward; plain networks only. */
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
   * @param replaces whether a TorchScript model goes on with what the hook returns
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
   * @param maxPerSecond upper bound of captures per second; infinite if not set
   */
  public record Sampling(double rate, double maxPerSecond) {}

  /**
   * Bounds.
   *
   * @param queueBytes bytes that captures waiting to be written may hold
   * @param whenFull what happens to a capture that does not fit
   * @param exact whether the application always gets the plain method's result
   */
  public record Limits(long queueBytes, WhenFull whenFull, boolean exact) {
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
   *     {@code %h} host, {@code ${ENV:-default}}) expanded; null when {@code kafka} is set
   * @param shardBytes size at which a shard is closed and the next begun
   * @param kafka set when captures are streamed to a topic
   */
  public record Output(@Nullable String directory, long shardBytes, @Nullable Kafka kafka) {}

  /** A Kafka topic; {@code bootstrap} is a list of host:port. */
  public record Kafka(String bootstrap, String topic) {}
}
