package io.camhook.samples.sentiment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Model;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import ai.djl.inference.Predictor;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.training.initializer.NormalInitializer;
import ai.djl.translate.NoopTranslator;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtSession;
import io.camhook.cam.CamResult;
import io.camhook.cam.Heatmaps;
import io.camhook.cam.model.RunOptions;
import io.camhook.cam.targets.Labels;
import io.camhook.cam.targets.TargetChoice;
import io.camhook.explain.Explained;
import io.camhook.explain.Explainer;
import io.camhook.explain.ModelInput;
import io.camhook.explain.TextTokenizer;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SentimentTest {
  private static final OrtEnvironment ENVIRONMENT = OrtEnvironment.getEnvironment();

  @TempDir Path folder;

  @BeforeEach
  void copy() throws Exception {
    for (String name : List.of("sentiment.onnx", "tokenizer.json")) {
      try (InputStream in = SentimentDemo.resource(name)) {
        Files.copy(in, folder.resolve(name));
      }
    }
  }

  /** The same weights in DJL and in onnxruntime; the second sentence is padded. */
  @Test
  void exported_network_should_answer_as_the_trained_one() throws Exception {
    try (Model model = Model.newInstance("sentiment")) {
      SentimentNet net = new SentimentNet(20, 2);
      net.setInitializer(new NormalInitializer(0.5f), Parameter.Type.WEIGHT);
      net.initialize(model.getNDManager(), DataType.FLOAT32, new Shape(2, 4), new Shape(2, 4));
      model.setBlock(net);
      long[][] ids = {{2, 7, 11, 3}, {2, 19, 3, 0}};
      long[][] mask = {{1, 1, 1, 1}, {1, 1, 1, 0}};
      float[] expected;
      try (Predictor<NDList, NDList> djl = model.newPredictor(new NoopTranslator())) {
        NDArray first = model.getNDManager().create(flat(ids), new Shape(2, 4));
        NDArray second = model.getNDManager().create(flat(mask), new Shape(2, 4));
        expected = djl.predict(new NDList(first, second)).singletonOrThrow().toFloatArray();
      }
      try (OrtSession session = ENVIRONMENT.createSession(ExportSentiment.export(net));
          OnnxTensor first = OnnxTensor.createTensor(ENVIRONMENT, ids);
          OnnxTensor second = OnnxTensor.createTensor(ENVIRONMENT, mask);
          OrtSession.Result result =
              session.run(Map.of("input_ids", first, "attention_mask", second))) {
        float[][] found = (float[][]) result.get(0).getValue();
        for (int i = 0; i < 4; i++) {
          assertThat(found[i / 2][i % 2]).isCloseTo(expected[i], within(1e-4f));
        }
      }
    }
  }

  private static long[] flat(long[][] rows) {
    return java.util.Arrays.stream(rows).flatMapToLong(java.util.Arrays::stream).toArray();
  }

  @Test
  void clear_sentences_should_be_named_correctly() throws Exception {
    try (OrtSession session =
            ENVIRONMENT.createSession(folder.resolve("sentiment.onnx").toString());
        HuggingFaceTokenizer words =
            HuggingFaceTokenizer.newInstance(folder.resolve("tokenizer.json"))) {
      float[] good = SentimentDemo.logits(ENVIRONMENT, session, words, "A great phone, I love it.");
      float[] bad = SentimentDemo.logits(ENVIRONMENT, session, words, "A terrible waste of money.");
      assertThat(good[1]).isGreaterThan(good[0]);
      assertThat(bad[0]).isGreaterThan(bad[1]);
    }
  }

  /** The occlusion value of a word is the drop of the score without it: two runs show it. */
  @Test
  void words_should_be_explained_by_what_they_change() throws Exception {
    String text = "The dessert was delicious.";
    try (TextTokenizer tokenizer = TextTokenizer.read(folder.resolve("tokenizer.json"));
        Explainer explainer =
            Explainer.load(folder.resolve("sentiment.onnx"), List.of(Explainer.EMBEDDING))) {
      ModelInput input = tokenizer.input("text", text);
      assertThat(input.tokens())
          .containsExactly("[CLS]", "the", "dessert", "was", "delicious", ".", "[SEP]");
      assertThat(explainer.layers()).containsExactly("embeddings");
      TargetChoice positive = TargetChoice.parse("class:1", Labels.none());
      Explained whole = explainer.run(input, positive);
      RunOptions options = RunOptions.forInput(input.tensors().get(0)).withPadId(0L);
      CamResult occlusion = whole.map("occlusion", 0, options, Heatmaps.standard());
      long[] without = input.tokenIds();
      without[4] = 0;
      ModelInput less =
          new ModelInput(
              "less",
              List.of(
                  io.camhook.recording.Tensor.ofLongs(without, 1, without.length),
                  input.tensors().get(1)),
              null);
      double fall = whole.score(0) - explainer.run(less, positive).score(0);
      assertThat(occlusion.raw().get("input").values()[4]).isCloseTo((float) fall, within(1e-4f));
      assertThat(fall).isGreaterThan(1);
      for (String method : List.of("hirescam", "integrated-gradients", "attention-rollout")) {
        assertThat(whole.map(method, 0, options, Heatmaps.standard()).heatmap().shape())
            .containsExactly(7);
      }
    }
  }
}
