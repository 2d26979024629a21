package io.camhook.samples.sentiment;

import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.GradientCollector;
import ai.djl.training.Trainer;
import ai.djl.training.initializer.NormalInitializer;
import ai.djl.training.loss.Loss;
import ai.djl.training.optimizer.Optimizer;
import ai.djl.training.tracker.Tracker;
import io.camhook.samples.sentiment.Sentences.Sentence;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/**
 * Trains {@link SentimentNet}: {@code TrainSentiment SENTENCES DIRECTORY} writes {@code
 * sentiment.onnx}, {@code tokenizer.json} and {@code labels.txt} into the directory and prints how
 * many unseen sentences it classifies correctly. {@code SENTENCES} is the folder {@code
 * test/fixtures} of the npm package {@code sentiment}.
 */
public final class TrainSentiment {
  private static final int SEED = 3;
  private static final int BATCH = 32;
  private static final int EPOCHS = 10;
  private static final float RATE = 3e-3f;
  private static final List<String> LABELS = List.of("negative", "positive");

  private TrainSentiment() {}

  public static void main(String[] args) throws IOException {
    if (args.length != 2) {
      System.err.println("usage: TrainSentiment SENTENCES DIRECTORY");
      System.exit(2);
    }
    Engine.getInstance().setRandomSeed(SEED);
    Sentences sentences = Sentences.read(Path.of(args[0]));
    Path directory = Files.createDirectories(Path.of(args[1]));
    Path tokenizer = directory.resolve("tokenizer.json");
    Files.writeString(tokenizer, sentences.tokenizer());
    Files.write(directory.resolve("labels.txt"), LABELS);
    try (Model model = Model.newInstance("sentiment");
        HuggingFaceTokenizer words = HuggingFaceTokenizer.newInstance(tokenizer)) {
      List<Encoded> training = encoded(sentences.training(), words);
      List<Encoded> unseen = encoded(sentences.unseen(), words);
      SentimentNet net = new SentimentNet(size(training), LABELS.size());
      model.setBlock(net);
      fit(model, training, unseen);
      Files.write(directory.resolve("sentiment.onnx"), ExportSentiment.export(net));
    }
  }

  private record Encoded(long[] ids, boolean positive) {}

  private static List<Encoded> encoded(List<Sentence> sentences, HuggingFaceTokenizer words) {
    return sentences.stream()
        .map(sentence -> new Encoded(words.encode(sentence.text()).getIds(), sentence.positive()))
        .toList();
  }

  /** Words of the vocabulary: the largest id of a training sentence is its last one. */
  private static int size(List<Encoded> training) {
    long largest = 0;
    for (Encoded sentence : training) {
      for (long id : sentence.ids()) {
        largest = Math.max(largest, id);
      }
    }
    return Math.toIntExact(largest + 1);
  }

  private static void fit(Model model, List<Encoded> training, List<Encoded> unseen) {
    int steps = EPOCHS * ((training.size() + BATCH - 1) / BATCH);
    Tracker rate =
        step ->
            (float) (RATE * (0.5 + 0.5 * Math.cos(Math.PI * Math.min(1, step / (double) steps))));
    DefaultTrainingConfig config =
        new DefaultTrainingConfig(Loss.softmaxCrossEntropyLoss())
            .optInitializer(new NormalInitializer(0.1f), Parameter.Type.WEIGHT)
            .optOptimizer(Optimizer.adam().optLearningRateTracker(rate).build());
    try (Trainer trainer = model.newTrainer(config)) {
      trainer.initialize(new Shape(1, 1), new Shape(1, 1));
      Random random = new Random(SEED);
      for (int epoch = 1; epoch <= EPOCHS; epoch++) {
        List<Encoded> order = new ArrayList<>(training);
        Collections.shuffle(order, random);
        double loss = 0;
        int batches = 0;
        for (int from = 0; from < order.size(); from += BATCH) {
          List<Encoded> batch = order.subList(from, Math.min(order.size(), from + BATCH));
          loss += learn(trainer, batch);
          batches++;
        }
        System.out.printf(
            "epoch %2d: loss %.3f, %d unseen sentences: accuracy %.1f %%%n",
            epoch, loss / batches, unseen.size(), 100 * accuracy(trainer, unseen));
      }
    }
  }

  private static float learn(Trainer trainer, List<Encoded> batch) {
    try (NDManager manager = trainer.getManager().newSubManager();
        GradientCollector gradients = trainer.newGradientCollector()) {
      NDArray loss =
          trainer
              .getLoss()
              .evaluate(labels(manager, batch), trainer.forward(inputs(manager, batch)));
      gradients.backward(loss);
      trainer.step();
      return loss.getFloat();
    }
  }

  private static double accuracy(Trainer trainer, List<Encoded> sentences) {
    int right = 0;
    try (NDManager manager = trainer.getManager().newSubManager()) {
      NDList outputs = trainer.evaluate(inputs(manager, sentences));
      float[] logits = outputs.singletonOrThrow().toFloatArray();
      for (int i = 0; i < sentences.size(); i++) {
        right += logits[2 * i + 1] > logits[2 * i] == sentences.get(i).positive() ? 1 : 0;
      }
    }
    return right / (double) sentences.size();
  }

  /** Ids and mask, padded to the longest sentence. */
  private static NDList inputs(NDManager manager, List<Encoded> batch) {
    int longest = batch.stream().mapToInt(sentence -> sentence.ids().length).max().orElseThrow();
    long[] ids = new long[batch.size() * longest];
    long[] mask = new long[ids.length];
    for (int i = 0; i < batch.size(); i++) {
      long[] own = batch.get(i).ids();
      System.arraycopy(own, 0, ids, i * longest, own.length);
      java.util.Arrays.fill(mask, i * longest, i * longest + own.length, 1);
    }
    Shape shape = new Shape(batch.size(), longest);
    return new NDList(manager.create(ids, shape), manager.create(mask, shape));
  }

  private static NDList labels(NDManager manager, List<Encoded> batch) {
    NDArray labels = manager.zeros(new Shape(batch.size()), DataType.FLOAT32);
    for (int i = 0; i < batch.size(); i++) {
      labels.setScalar(new ai.djl.ndarray.index.NDIndex(i), batch.get(i).positive() ? 1 : 0);
    }
    return new NDList(labels);
  }
}
