package io.camhook.explain;

import io.camhook.recording.Tensor;
import io.camhook.render.Picture;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The input of one run of a model.
 *
 * @param name unique among the inputs of a command, and safe as the beginning of a file name
 * @param tensors the model's arguments, each with its batch dimension
 * @param names one per tensor: {@code input}, {@code input0}, {@code input1} … by position; other
 *     names are those of the model's own parameters or of the entries of its dict
 * @param picture the picture that the first tensor was made from; null if there is none
 * @param frame where that picture lies in the user's picture; null if it covers all of it
 * @param tokens the words of a text, one per token of the first tensor; empty if it is not a text
 */
public record ModelInput(
    String name,
    List<Tensor> tensors,
    List<String> names,
    @Nullable Picture picture,
    @Nullable PictureFrame frame,
    List<String> tokens) {
  public ModelInput {
    tensors = List.copyOf(tensors);
    names = List.copyOf(names);
    tokens = List.copyOf(tokens);
  }

  /** Inputs by position. */
  public ModelInput(String name, List<Tensor> tensors, @Nullable Picture picture) {
    this(name, tensors, positions(tensors.size()), picture, null, List.of());
  }

  /** An input without a picture. */
  public static ModelInput of(String name, Tensor... tensors) {
    return new ModelInput(name, List.of(tensors), null);
  }

  /** A text; the tensors' names describe their meaning, independently of the model's names. */
  static ModelInput ofText(
      String name, List<String> names, List<Tensor> tensors, List<String> tokens) {
    return new ModelInput(name, tensors, names, null, null, tokens);
  }

  /**
   * Whether it was read from a text; then each tensor goes to the matching argument of the model.
   */
  boolean isText() {
    return !tokens.isEmpty() && names.contains(TextTokenizer.IDS);
  }

  /** The attention mask of a text, one number per token; empty if no tensor is named as a mask. */
  float[] attentionMask() {
    for (int i = 0; i < names.size(); i++) {
      if (names.get(i).contains("mask") && tensors.get(i).rank() == 2) {
        return tensors.get(i).toFloats();
      }
    }
    return new float[0];
  }

  /** The ids of the tokens of a text; empty for other inputs. */
  public long[] tokenIds() {
    Tensor first = tensors.get(0);
    if (first.rank() != 2 || InputForm.isFloating(first)) {
      return new long[0];
    }
    float[] ids = first.toFloats();
    return IntStream.range(0, ids.length).mapToLong(i -> (long) ids[i]).toArray();
  }

  private static List<String> positions(int n) {
    return n == 1 ? List.of("input") : IntStream.range(0, n).mapToObj(i -> "input" + i).toList();
  }

  /** The same names with other tensors and without a picture. */
  ModelInput with(List<Tensor> others) {
    return new ModelInput(name, others, names, null, null, List.of());
  }

  /** The same inputs in the model's order. */
  ModelInput ordered(List<Tensor> others, List<String> otherNames) {
    return new ModelInput(name, others, otherNames, picture, frame, tokens);
  }
}
