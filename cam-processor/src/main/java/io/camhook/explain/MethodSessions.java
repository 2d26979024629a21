package io.camhook.explain;

import io.camhook.engine.ModelSession;
import io.camhook.recording.DType;
import io.camhook.recording.LayerOutput;
import io.camhook.recording.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What some methods need from a model besides its layers; opened on first use. */
final class MethodSessions implements AutoCloseable {
  private final ModelSource source;
  private final BiasLayers biases;
  private final TokenEmbedding embedding;
  private final AttentionWeights attention;
  private final Map<String, DType> types = new HashMap<>();
  private ModelSession.Use use = ModelSession.Use.standard();

  /**
   * @param layers the layers that the user named
   */
  MethodSessions(ModelSource source, Collection<String> layers) {
    this.source = source;
    this.biases = new BiasLayers(source, this);
    this.embedding = new TokenEmbedding(source.listing(), layers, this);
    this.attention = new AttentionWeights(source, this);
  }

  /** How sessions feed and read the model from now on. */
  void use(ModelSession.Use wanted) {
    use = wanted;
  }

  /** Opens the model for other layers. */
  ModelSession open(List<String> paths) {
    try {
      ModelSession session = source.open(paths);
      session.use(use);
      return session;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  ModelSource source() {
    return source;
  }

  BiasLayers biases() {
    return biases;
  }

  TokenEmbedding embedding() {
    return embedding;
  }

  AttentionWeights attention() {
    return attention;
  }

  /** Remembers the types of what layers return. */
  void seen(Map<LayerOutput, Tensor> activations) {
    activations.forEach((layer, tensor) -> types.put(layer.toString(), tensor.dtype()));
  }

  /** The type of what a layer returns; float32 if that was not seen. */
  DType type(String path) {
    return types.getOrDefault(path, DType.F32);
  }

  @Override
  public void close() {
    biases.close();
    embedding.close();
    attention.close();
  }
}
