package io.camhook.recording;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.time.Instant;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/**
 * Everything recorded of one forward (and backward) pass of a model: named tensors (see {@link
 * TensorName}) and metadata. A capture covers the whole batch; activations and gradients keep the
 * batch dimension.
 *
 * <p>A capture is stored as one safetensors blob, with everything but the tensors in its metadata.
 * Immutable and thread-safe.
 */
public final class Capture {
  private final String id;
  private final String model;
  private final Instant time;
  private final List<Target> targets;
  private final List<List<Prediction>> topK;
  private final Map<String, String> extra;
  private final Map<String, Tensor> tensors;

  private Capture(Builder builder, String id, Instant time) {
    this.id = id;
    this.model = builder.model;
    this.time = time;
    this.targets = List.copyOf(builder.targets);
    this.topK = builder.topK.stream().map(List::copyOf).toList();
    this.extra = Collections.unmodifiableMap(new LinkedHashMap<>(builder.extra));
    this.tensors = Collections.unmodifiableMap(new LinkedHashMap<>(builder.tensors));
  }

  /** Begins a capture of the model that recordings call {@code model}. */
  public static Builder builder(String model) {
    return new Builder(model);
  }

  /** A new id for a capture of a pass that began at {@code time}. */
  public static String newId(Instant time) {
    return CaptureId.next(time);
  }

  /** Unique; ids sort by time as text. */
  public String id() {
    return id;
  }

  /** The model's label in {@code camhook.yaml}. */
  public String model() {
    return model;
  }

  /** When the pass began. */
  public Instant time() {
    return time;
  }

  /** The scalars that were differentiated, by sample and then by n; empty without gradients. */
  public List<Target> targets() {
    return targets;
  }

  /** The most probable classes of each sample of the batch, best first; empty if unknown. */
  public List<List<Prediction>> topK() {
    return topK;
  }

  /** All other metadata. */
  public Map<String, String> extra() {
    return extra;
  }

  /** Everything but the tensors, as strings in the form of the blob's metadata. */
  public Map<String, String> facts() {
    Map<String, String> facts = CaptureMetadata.write(this, 0);
    facts.remove(CaptureMetadata.FORMAT);
    facts.remove(CaptureMetadata.CRC);
    return facts;
  }

  /** All tensors by name, in the order they were added. */
  public Map<String, Tensor> tensors() {
    return tensors;
  }

  /** The tensor {@code name}, if it was recorded. */
  public Optional<Tensor> tensor(TensorName name) {
    return Optional.ofNullable(tensors.get(name.toString()));
  }

  /** The layer outputs whose activation was recorded, in recorded order. */
  public List<LayerOutput> layers() {
    return tensors.keySet().stream()
        .map(TensorName::parse)
        .flatMap(Optional::stream)
        .filter(name -> name.kind() == TensorName.Kind.ACTIVATION)
        .map(TensorName::layer)
        .toList();
  }

  /** The same capture with other tensors, and more metadata. */
  public Capture with(Map<String, Tensor> others, Map<String, String> more) {
    Builder builder = builder(model).id(id).time(time).targets(targets).topK(topK);
    extra.forEach(builder::extra);
    more.forEach(builder::extra);
    others.forEach(builder::tensor);
    return builder.build();
  }

  /** Bytes of all tensors together. */
  public long tensorBytes() {
    return tensors.values().stream().mapToLong(Tensor::byteSize).sum();
  }

  /** Writes the blob; apart from its header nothing is copied in memory. */
  public void write(WritableByteChannel channel) throws IOException {
    layout(SafetensorsLayout.crc32c(tensors)).write(channel);
  }

  /** The blob in memory. */
  public byte[] toBytes() {
    return toBytes(byte[]::new);
  }

  /**
   * The blob in memory.
   *
   * @param memory returns an array of exactly the given length
   */
  public byte[] toBytes(IntFunction<byte[]> memory) {
    SafetensorsLayout layout = layout(SafetensorsLayout.crc32c(tensors));
    ByteBuffer bytes = ByteBuffer.wrap(memory.apply(Math.toIntExact(layout.size())));
    bytes.put(layout.header());
    for (Tensor tensor : layout.tensors()) {
      bytes.put(tensor.bytes());
    }
    return bytes.array();
  }

  /** The blob as it will be written; see {@link CaptureMetadata#write}. */
  SafetensorsLayout layout(int crc) {
    return new SafetensorsLayout(CaptureMetadata.write(this, crc), tensors);
  }

  /**
   * Reads a blob and checks its CRC. The tensors are slices of {@code blob}, not copies.
   *
   * @throws RecordingException if it is not an intact capture
   */
  public static Capture read(ByteBuffer blob) throws RecordingException {
    return of(Safetensors.read(blob, "capture"), "capture");
  }

  static Capture of(Safetensors blob, String where) throws RecordingException {
    return CaptureMetadata.read(blob, where);
  }

  @Override
  public String toString() {
    return "capture " + id + " of " + model + " " + tensors;
  }

  /** Collects a capture. Not thread-safe. */
  public static final class Builder {
    private final String model;
    private final Map<String, String> extra = new LinkedHashMap<>();
    private final Map<String, Tensor> tensors = new LinkedHashMap<>();
    private List<Target> targets = List.of();
    private List<List<Prediction>> topK = List.of();
    private @Nullable String id;
    private @Nullable Instant time;

    private Builder(String model) {
      this.model = model;
    }

    /**
     * The id; by default a new one is generated from the time.
     *
     * @throws IllegalArgumentException if it cannot be the name of a file
     */
    public Builder id(String id) {
      if (!CaptureId.isValid(id)) {
        throw new IllegalArgumentException(
            "a capture id is 1 to %d of [A-Za-z0-9._-] beginning with a letter or digit, found '%s'"
                .formatted(CaptureId.MAX_LENGTH, id));
      }
      this.id = id;
      return this;
    }

    /** When the pass began; by default the time of {@link #build}. */
    public Builder time(Instant time) {
      this.time = time;
      return this;
    }

    public Builder targets(List<Target> targets) {
      this.targets = targets;
      return this;
    }

    public Builder topK(List<List<Prediction>> topK) {
      this.topK = topK;
      return this;
    }

    /**
     * Adds custom metadata.
     *
     * @throws IllegalArgumentException if captures use {@code key} themselves
     */
    public Builder extra(String key, String value) {
      if (CaptureMetadata.RESERVED.contains(key)) {
        throw new IllegalArgumentException(
            "metadata key '" + key + "' is one of a capture's own " + CaptureMetadata.RESERVED);
      }
      extra.put(key, value);
      return this;
    }

    public Builder tensor(TensorName name, Tensor tensor) {
      return tensor(name.toString(), tensor);
    }

    /**
     * Adds a tensor that {@link TensorName} has no name for.
     *
     * @throws IllegalArgumentException if the name is taken
     */
    public Builder tensor(String name, Tensor tensor) {
      if (tensors.putIfAbsent(name, tensor) != null) {
        throw new IllegalArgumentException("tensor '" + name + "' was added twice");
      }
      return this;
    }

    public Capture build() {
      Instant at = time == null ? Instant.now() : time;
      return new Capture(this, id == null ? CaptureId.next(at) : id, at);
    }
  }
}
