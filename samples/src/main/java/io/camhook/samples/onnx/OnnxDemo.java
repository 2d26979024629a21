package io.camhook.samples.onnx;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.camhook.samples.pictures.DrawnPicture;
import io.camhook.samples.pictures.ShapeClass;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Classifies the pictures of a folder: {@code OnnxDemo DIRECTORY}. The network is the one of {@code
 * ShapesDemo}, written as {@code .onnx} by {@link ExportShapes}.
 */
public final class OnnxDemo {
  private static final String MODEL = "shapes.onnx";

  private OnnxDemo() {}

  public static void main(String[] args) throws IOException, OrtException {
    if (args.length != 1) {
      System.err.println("usage: OnnxDemo DIRECTORY");
      System.exit(2);
    }
    OrtEnvironment environment = OrtEnvironment.getEnvironment();
    int correct = 0;
    List<Path> files = pngs(Path.of(args[0]));
    try (OrtSession session = environment.createSession(model())) {
      for (Path file : files) {
        float[] logits = logits(environment, session, DrawnPicture.read(file));
        String answer = ShapeClass.values()[best(logits)].label();
        correct += file.getFileName().toString().contains(answer) ? 1 : 0;
        System.out.printf("%-22s %s%n", file.getFileName(), answer);
      }
    }
    System.out.printf("%d of %d pictures named correctly%n", correct, files.size());
  }

  static byte[] model() throws IOException {
    try (InputStream in = OnnxDemo.class.getResourceAsStream(MODEL)) {
      if (in == null) {
        throw new FileNotFoundException("no resource " + MODEL + " beside " + OnnxDemo.class);
      }
      return in.readAllBytes();
    }
  }

  static float[] logits(OrtEnvironment environment, OrtSession session, DrawnPicture picture)
      throws OrtException {
    int area = picture.width() * picture.height();
    FloatBuffer planes = FloatBuffer.allocate(3 * area);
    for (int i = 0; i < picture.rgb().length; i++) {
      planes.put(i % 3 * area + i / 3, picture.rgb()[i] & 0xff);
    }
    long[] shape = {1, 3, picture.height(), picture.width()};
    try (OnnxTensor input = OnnxTensor.createTensor(environment, planes, shape);
        OrtSession.Result result = session.run(Map.of("picture", input))) {
      return ((float[][]) result.get(0).getValue())[0];
    }
  }

  private static int best(float[] logits) {
    int best = 0;
    for (int i = 1; i < logits.length; i++) {
      best = logits[i] > logits[best] ? i : best;
    }
    return best;
  }

  private static List<Path> pngs(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.filter(file -> file.toString().endsWith(".png")).sorted().toList();
    }
  }
}
