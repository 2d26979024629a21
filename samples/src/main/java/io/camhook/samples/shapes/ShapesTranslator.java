package io.camhook.samples.shapes;

import ai.djl.modality.Classifications;
import ai.djl.modality.cv.Image;
import ai.djl.modality.cv.util.NDImageUtils;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.translate.Batchifier;
import ai.djl.translate.Translator;
import ai.djl.translate.TranslatorContext;
import java.util.List;

/** From a picture to the network's input, and from its logits to class names. */
public final class ShapesTranslator implements Translator<Image, Classifications> {
  private final List<String> classNames;

  public ShapesTranslator(List<String> classNames) {
    this.classNames = List.copyOf(classNames);
  }

  @Override
  public NDList processInput(TranslatorContext context, Image picture) {
    return new NDList(normalise(picture.toNDArray(context.getNDManager(), Image.Flag.COLOR)));
  }

  @Override
  public Classifications processOutput(TranslatorContext context, NDList output) {
    NDArray logits = output.singletonOrThrow();
    return new Inspection(classNames, logits.softmax(0), logits.toFloatArray());
  }

  @Override
  public Batchifier getBatchifier() {
    return Batchifier.STACK;
  }

  /** {@code [H, W, 3]} bytes to {@code [3, H, W]} floats in −1..1. */
  public static NDArray normalise(NDArray pixels) {
    float[] half = {0.5f, 0.5f, 0.5f};
    return NDImageUtils.normalize(NDImageUtils.toTensor(pixels), half, half);
  }
}
