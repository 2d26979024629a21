package io.camhook.djl.model;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.util.Pair;
import io.camhook.djl.autograd.Tensors;
import io.camhook.recording.ModelContent;
import io.camhook.recording.ModelInfo;
import io.camhook.recording.Tensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.LongStream;

/**
 * The parameters of a network of Java blocks in their state when it was captured for the first
 * time. They are held by further handles to the same memory, so the application may close its model
 * meanwhile. Parameters that require a gradient may be trained by the next step, so they are
 * copied.
 *
 * <p>The hash is the SHA-256 over the parameters in the order of their names: name in UTF-8, 0,
 * type as in safetensors ({@code F32}), 0, shape as {@code 64x3x7x7}, 0, values in row-major order,
 * little-endian. Parameters without a value are left out, and the code of the blocks is not part of
 * it.
 */
public final class ModelParameters implements ModelContent {
  /** More bytes are not copied: the request would wait for it. */
  static final long LARGEST_COPY = 256L << 20;

  private static final int PART = 1 << 20;

  private final NDManager owner;
  private final Map<String, NDArray> arrays = new TreeMap<>();
  private final long size;
  private final boolean complete;

  /** Holds on to the parameters of {@code root}. */
  public ModelParameters(Block root) {
    long bytes = 0;
    long copied = 0;
    owner = Engine.getEngine("PyTorch").newBaseManager();
    owner.setName("camhook parameters");
    try {
      for (Pair<String, Parameter> each : root.getParameters()) {
        Parameter parameter = each.getValue();
        if (!parameter.isInitialized()) {
          continue;
        }
        NDArray array = parameter.getArray();
        long own = Tensors.bytes(array);
        boolean trained = Tensors.requiresGrad(array);
        bytes += own;
        copied += trained ? own : 0;
        if (copied > LARGEST_COPY) {
          break;
        }
        arrays.put(
            each.getKey(), trained ? Tensors.copyOf(array, owner) : Tensors.detached(array, owner));
      }
    } catch (Throwable e) {
      owner.close();
      throw e;
    }
    size = bytes;
    complete = copied <= LARGEST_COPY;
  }

  @Override
  public String what() {
    return "parameters";
  }

  @Override
  public long size() {
    return size;
  }

  @Override
  public ModelInfo hashed(ModelInfo model, String sha256) {
    return model.hashedByParameters(sha256);
  }

  /** Reads them twice, because the application may change them while they are read. */
  @Override
  public String sha256(Pace pace) throws IOException, InterruptedException {
    if (!complete) {
      throw new IOException(
          "they may be trained, and more than %d bytes are not copied".formatted(LARGEST_COPY));
    }
    String hash = once(pace);
    if (!hash.equals(once(pace))) {
      throw new IOException("they were changed while they were read");
    }
    return hash;
  }

  private String once(Pace pace) throws InterruptedException {
    MessageDigest digest = ModelContent.digest();
    for (Map.Entry<String, NDArray> each : arrays.entrySet()) {
      Tensor tensor = Tensors.viewOf(each.getValue());
      text(digest, each.getKey());
      text(digest, tensor.dtype().name());
      text(
          digest,
          LongStream.of(tensor.shape()).mapToObj(String::valueOf).collect(Collectors.joining("x")));
      ByteBuffer values = tensor.data();
      while (values.hasRemaining()) {
        ByteBuffer part = values.slice(values.position(), Math.min(PART, values.remaining()));
        digest.update(part);
        values.position(values.position() + part.capacity());
        pace.part();
      }
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  private static void text(MessageDigest digest, String text) {
    digest.update(text.getBytes(StandardCharsets.UTF_8));
    digest.update((byte) 0);
  }

  @Override
  public void close() {
    owner.close();
  }
}
