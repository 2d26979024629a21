package io.camhook.explain;

import io.camhook.cam.CamException;
import io.camhook.cam.ModuleTypes;
import io.camhook.engine.ModelSession;
import io.camhook.naming.ModuleDescription;
import io.camhook.recording.LayerOutput;
import io.camhook.recording.Tensor;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The module that turns token ids into vectors, which is the first differentiable point of a text
 * model: the {@code Embedding} that the user named as a layer, otherwise the one that reads the ids
 * as the code shows it, otherwise the one with the most rows. It has its own session, which is
 * opened on first use.
 */
final class TokenEmbedding implements AutoCloseable {
  private final MethodSessions sides;
  private final Optional<String> path;
  private @Nullable ModelSession session;

  TokenEmbedding(ModelListing listing, Collection<String> layers, MethodSessions sides) {
    this.sides = sides;
    this.path =
        LayerSelection.called(listing).stream()
            .filter(TokenEmbedding::looksUpWords)
            .max(
                Comparator.comparing((ModuleDescription module) -> layers.contains(module.path()))
                    .thenComparing(module -> module.path().equals(listing.tokens()))
                    .thenComparing(TokenEmbedding::rows))
            .map(ModuleDescription::path);
  }

  private static boolean looksUpWords(ModuleDescription module) {
    boolean onnx = module.type().equals("Gather") && rows(module) > 0;
    boolean operator = module.type().equals("torch.embedding"); // of a frozen archive
    return onnx || operator || ModuleTypes.isEmbedding(module.type());
  }

  private static long rows(ModuleDescription module) {
    return module.parameters().stream()
        .filter(parameter -> parameter.shape().size() == 2)
        .mapToLong(parameter -> parameter.shape().get(0))
        .max()
        .orElse(0);
  }

  /** Its path; empty if the model has none. */
  Optional<String> path() {
    return path;
  }

  /** {@code [1,T,D]}: what it returns for the inputs. */
  Tensor of(List<Tensor> inputs, int index) {
    Map<LayerOutput, Tensor> seen = session().run(inputs, null, true).activations();
    Tensor embedding = seen.get(LayerOutput.of(required()));
    long tokens = inputs.get(index).elements();
    if (embedding == null || embedding.rank() != 3 || embedding.size(1) != tokens) {
      throw new CamException(
          "the embedding '%s' returns no vector for each of the %d tokens; name another Embedding as a layer (-l)"
              .formatted(required(), tokens));
    }
    return embedding;
  }

  /** The model's outputs for other embeddings of the same shape. */
  List<Tensor> outputs(Tensor embedding, List<Tensor> inputs) {
    return session().outputsFrom(required(), embedding, inputs);
  }

  /** The gradients of the targets at other embeddings, of their shape. */
  Tensor gradient(Tensor embedding, List<Tensor> inputs, ModelSession.OutputGradients target) {
    return session().gradientFrom(required(), embedding, inputs, target);
  }

  private String required() {
    return path.orElseThrow(
        () ->
            new CamException(
                "the model has no module of type Embedding, so token ids cannot be differentiated"
                    + " anywhere; use occlusion"));
  }

  private ModelSession session() {
    ModelSession open = session;
    if (open == null) {
      open = sides.open(List.of(required()));
      session = open;
    }
    return open;
  }

  @Override
  public void close() {
    if (session != null) {
      session.close();
      session = null;
    }
  }
}
