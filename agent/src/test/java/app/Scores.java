package app;

import ai.djl.Model;
import ai.djl.inference.Predictor;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.LambdaBlock;
import ai.djl.nn.SequentialBlock;
import ai.djl.translate.NoopTranslator;
import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Predicts with models and prints their scores, one line each. {@code NAME.pt} of the working
 * directory is the model, {@code NAME.bin} its input: number of dimensions, dimensions, values.
 * {@code block} is a Java block of two layers that double.
 */
public final class Scores {
  private Scores() {}

  public static void main(String[] names) throws Exception {
    for (String name : names) {
      try (Model model = Model.newInstance(name, "PyTorch");
          NDManager manager = NDManager.newBaseManager("PyTorch")) {
        if (name.startsWith("block")) {
          model.setBlock(new SequentialBlock().add(twice()).add(twice()));
        } else {
          model.load(Path.of(name + ".pt"));
        }
        System.out.println(name + " " + scores(model, input(name, manager)));
      }
    }
  }

  private static Block twice() {
    return new LambdaBlock(list -> new NDList(list.head().mul(2)), "twice");
  }

  private static String scores(Model model, NDArray input) {
    try (Predictor<NDList, NDList> predictor = model.newPredictor(new NoopTranslator(null))) {
      StringBuilder line = new StringBuilder();
      for (float score : predictor.predict(new NDList(input)).head().toFloatArray()) {
        line.append(line.isEmpty() ? "" : " ").append(score);
      }
      return line.toString();
    } catch (Exception e) {
      Throwable cause = e;
      while (cause.getCause() != null) {
        cause = cause.getCause();
      }
      return "failed: " + cause.getMessage();
    }
  }

  private static NDArray input(String name, NDManager manager) throws IOException {
    try (DataInputStream in =
        new DataInputStream(
            new BufferedInputStream(Files.newInputStream(Path.of(name + ".bin"))))) {
      long[] shape = new long[in.readInt()];
      int size = 1;
      for (int i = 0; i < shape.length; i++) {
        shape[i] = in.readInt();
        size *= (int) shape[i];
      }
      float[] values = new float[size];
      for (int i = 0; i < size; i++) {
        values[i] = in.readFloat();
      }
      return manager.create(values, new Shape(shape));
    }
  }
}
