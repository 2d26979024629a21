package io.camhook.samples.sentiment;

import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** Classifies the sentiment of the texts in a folder: {@code SentimentDemo DIRECTORY}. */
public final class SentimentDemo {

  private SentimentDemo() {}

  public static void main(String[] args) throws IOException, OrtException {
    if (args.length != 1) {
      System.err.println("usage: SentimentDemo DIRECTORY");
      System.exit(2);
    }
    OrtEnvironment environment = OrtEnvironment.getEnvironment();
    try (InputStream words = resource("tokenizer.json");
        InputStream model = resource("sentiment.onnx");
        HuggingFaceTokenizer tokenizer = HuggingFaceTokenizer.newInstance(words, Map.of());
        OrtSession session = environment.createSession(model.readAllBytes())) {
      for (Path file : texts(Path.of(args[0]))) {
        float[] logits = logits(environment, session, tokenizer, Files.readString(file));
        double positive = 1 / (1 + Math.exp(logits[0] - logits[1]));
        System.out.printf(
            "%-24s %s %.2f%n",
            file.getFileName(),
            positive > 0.5 ? "positive" : "negative",
            Math.max(positive, 1 - positive));
      }
    }
  }

  static InputStream resource(String name) throws IOException {
    InputStream in = SentimentDemo.class.getResourceAsStream(name);
    if (in == null) {
      throw new FileNotFoundException("no resource " + name + " beside " + SentimentDemo.class);
    }
    return in;
  }

  static float[] logits(
      OrtEnvironment environment, OrtSession session, HuggingFaceTokenizer tokenizer, String text)
      throws OrtException {
    Encoding encoding = tokenizer.encode(text.strip());
    try (OnnxTensor ids = OnnxTensor.createTensor(environment, new long[][] {encoding.getIds()});
        OnnxTensor mask =
            OnnxTensor.createTensor(environment, new long[][] {encoding.getAttentionMask()});
        OrtSession.Result result = session.run(Map.of("input_ids", ids, "attention_mask", mask))) {
      return ((float[][]) result.get(0).getValue())[0];
    }
  }

  private static List<Path> texts(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.filter(file -> file.toString().endsWith(".txt")).sorted().toList();
    }
  }
}
