package io.camhook.samples.shapes;

import ai.djl.MalformedModelException;
import ai.djl.Model;
import ai.djl.inference.Predictor;
import ai.djl.modality.Classifications;
import ai.djl.modality.cv.Image;
import ai.djl.modality.cv.ImageFactory;
import ai.djl.translate.TranslateException;
import io.camhook.samples.pictures.PictureGenerator;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * A small inspection service: reads the pictures of a folder, classifies them, prints one line for
 * each, and writes the results to {@code pictures.json}. An empty folder is filled with pictures
 * first.
 */
public final class ShapesDemo {
  private final Model model;
  private final Path folder;

  private ShapesDemo(Model model, Path folder) {
    this.model = model;
    this.folder = folder;
  }

  public static void main(String[] args)
      throws IOException, MalformedModelException, InterruptedException, ExecutionException {
    DemoOptions options;
    try {
      options = DemoOptions.parse(args);
    } catch (IllegalArgumentException e) {
      System.err.println("ShapesDemo: " + e.getMessage());
      System.err.print(DemoOptions.USAGE);
      System.exit(2);
      return;
    }
    Path folder = options.pictures();
    PictureFolder pictures =
        PictureFolder.exists(folder)
            ? PictureFolder.read(folder)
            : PictureFolder.generate(
                folder, new PictureGenerator(options.seed()), options.singles(), options.pairs());
    try (Model model = ShapesNet.load()) {
      List<Answer> answers =
          new ShapesDemo(model, folder).inspect(pictures.pictures(), options.threads());
      new PictureFolder(answers.stream().map(Answer::entry).toList()).save(folder);
      if (options.outputs() != null) {
        Files.write(options.outputs(), logits(answers));
      }
      print(answers);
    }
  }

  /** A picture with its answer and the network's output. */
  private record Answer(PictureFolder.Entry entry, double probability, float[] logits) {}

  /** Inspects with several threads, each with its own predictor; answers in the given order. */
  private List<Answer> inspect(List<PictureFolder.Entry> pictures, int threads)
      throws InterruptedException, ExecutionException {
    ExecutorService pool = Executors.newFixedThreadPool(threads);
    try {
      List<Future<List<Answer>>> parts = new ArrayList<>();
      for (int t = 0; t < threads; t++) {
        int from = pictures.size() * t / threads;
        int to = pictures.size() * (t + 1) / threads;
        parts.add(pool.submit(() -> inspect(pictures.subList(from, to))));
      }
      List<Answer> answers = new ArrayList<>();
      for (Future<List<Answer>> part : parts) {
        answers.addAll(part.get());
      }
      return answers;
    } finally {
      pool.shutdownNow();
    }
  }

  private List<Answer> inspect(List<PictureFolder.Entry> pictures)
      throws IOException, TranslateException {
    List<Answer> answers = new ArrayList<>();
    try (Predictor<Image, Classifications> predictor =
        model.newPredictor(new ShapesTranslator(ShapesNet.classNames()))) {
      for (PictureFolder.Entry entry : pictures) {
        Image image = ImageFactory.getInstance().fromFile(folder.resolve(entry.file()));
        Inspection inspection = (Inspection) predictor.predict(image);
        Classifications.Classification best = inspection.best();
        answers.add(
            new Answer(
                entry.answered(best.getClassName(), best.getProbability()),
                best.getProbability(),
                inspection.logits()));
      }
    }
    return answers;
  }

  private static void print(List<Answer> answers) {
    for (Answer answer : answers) {
      PictureFolder.Entry entry = answer.entry();
      System.out.printf(
          "%-22s %-8s %5.1f %%%s%n",
          entry.file(),
          entry.predicted(),
          100 * answer.probability(),
          entry.isCorrect() ? "" : "   wrong");
    }
    long correct = answers.stream().filter(answer -> answer.entry().isCorrect()).count();
    System.out.printf("%d of %d pictures named correctly%n", correct, answers.size());
  }

  /** All logits as little-endian float32, in the order of the pictures. */
  private static byte[] logits(List<Answer> answers) {
    int count = answers.stream().mapToInt(answer -> answer.logits().length).sum();
    ByteBuffer bytes = ByteBuffer.allocate(count * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    for (Answer answer : answers) {
      for (float logit : answer.logits()) {
        bytes.putFloat(logit);
      }
    }
    return bytes.array();
  }
}
