package io.camhook.explain;

import io.camhook.recording.Tensor;
import io.camhook.render.Picture;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * What a model is fed once.
 *
 * @param name unique among the inputs of a run, and safe as the beginning of a file name
 * @param tensors the model's arguments, each with its batch dimension
 * @param names one a tensor: {@code input}, {@code input0}, {@code input1} … by position, others
 *     those of the model's own parameters or of the entries of its dict
 * @param picture the picture that the first tensor was made of; null if it was none
 * @param frame where that picture lies in the one that the user gave; null if that is all of it
 */
public record ModelInput(
    String name,
    List<Tensor> tensors,
    List<String> names,
    @Nullable Picture picture,
    @Nullable PictureFrame frame) {
  public ModelInput {
    tensors = List.copyOf(tensors);
    names = List.copyOf(names);
  }

  /** Inputs by position. */
  public ModelInput(String name, List<Tensor> tensors, @Nullable Picture picture) {
    this(name, tensors, positions(tensors.size()), picture, null);
  }

  /** An input without a picture. */
  public static ModelInput of(String name, Tensor... tensors) {
    return new ModelInput(name, List.of(tensors), null);
  }

  private static List<String> positions(int n) {
    return n == 1 ? List.of("input") : IntStream.range(0, n).mapToObj(i -> "input" + i).toList();
  }

  /** The same names with other tensors, which show no picture. */
  ModelInput with(List<Tensor> others) {
    return new ModelInput(name, others, names, null, null);
  }

  /** The same in another order, for a model that takes its inputs so. */
  ModelInput ordered(List<Tensor> others, List<String> otherNames) {
    return new ModelInput(name, others, otherNames, picture, frame);
  }
}
