package app;

import ai.djl.Model;
import ai.djl.inference.Predictor;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.translate.NoopTranslator;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * Four threads predict with the TorchScript archive {@code net.pt} of the working directory; prints
 * every output's name and bytes. With {@code -Dapp.stream=true} it is loaded as a stream.
 */
public final class PredictScript {
  private static final int PICTURES = 8;

  private PredictScript() {}

  public static void main(String[] args) throws Exception {
    System.out.println("loader " + Model.class.getClassLoader().getClass().getSimpleName());
    try (Model model = Model.newInstance("net", "PyTorch")) {
      load(model);
      ExecutorService threads = Executors.newFixedThreadPool(4);
      List<Future<String>> results = new ArrayList<>();
      for (int i = 0; i < PICTURES; i++) {
        int picture = i;
        results.add(threads.submit(() -> predict(model, picture)));
      }
      for (Future<String> result : results) {
        System.out.println(result.get());
      }
      threads.shutdown();
    }
  }

  private static void load(Model model) throws Exception {
    Path file = Path.of("net.pt");
    if (Boolean.getBoolean("app.stream")) {
      try (InputStream stream = Files.newInputStream(file)) {
        model.load(stream);
      }
    } else {
      model.load(file);
    }
  }

  private static String predict(Model model, int picture) throws Exception {
    try (NDManager manager = NDManager.newBaseManager("PyTorch");
        Predictor<NDList, NDList> predictor = model.newPredictor(new NoopTranslator(null))) {
      float[] pixels = new float[3 * 48 * 40];
      for (int i = 0; i < pixels.length; i++) {
        pixels[i] = (float) Math.sin(0.37 * i + picture);
      }
      StringBuilder line = new StringBuilder().append(picture);
      NDList outputs =
          predictor.predict(new NDList(manager.create(pixels, new Shape(1, 3, 48, 40))));
      for (NDArray output : outputs) {
        line.append(' ').append(output.getName()).append(' ').append(output.getShape());
        for (float value : output.toFloatArray()) {
          line.append(' ').append(Float.floatToRawIntBits(value));
        }
      }
      return line.toString();
    }
  }
}
