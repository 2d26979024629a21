package io.camhook.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtSession;
import io.camhook.onnx.gradient.OpsetUpgrade;
import io.camhook.onnx.gradient.Subgraph;
import io.camhook.onnx.graph.ElementType;
import io.camhook.onnx.graph.OnnxModel;
import io.camhook.onnx.graph.TensorType;
import io.camhook.onnx.graph.ValueInfo;
import io.camhook.recording.Capture;
import io.camhook.recording.RecordingReader;
import io.camhook.recording.Tensor;
import java.io.File;
import java.io.IOException;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.jar.JarFile;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A third-party program that embeds sentences with MiniLM on its own onnxruntime, under the agent.
 * Which words make two sentences similar? The weights are those in LangChain4j's jar. Runs with
 * {@code -Ponnx-hosts}.
 */
abstract class EmbeddingHost {
  static final String TOKENS = "/embeddings/LayerNorm/Add_1_output_0";
  static final String MODEL = "all-minilm-l6-v2.onnx";
  static final String CAT = "The cat sat on the mat";
  private static final String KITTEN = "A kitten rested on the rug";

  @TempDir Path directory;
  private final String host;
  private final String source;

  /**
   * @param host names the folder of its jars: the system property {@code camhook.HOST}
   * @param source the program, a resource
   */
  EmbeddingHost(String host, String source) {
    this.host = host;
    this.source = source;
  }

  @BeforeAll
  static void requireProfile() {
    assumeFalse(System.getProperty("camhook.langchain4j", "").isEmpty(), "runs with -Ponnx-hosts");
  }

  static String jars(String host) throws IOException {
    try (Stream<Path> files = Files.list(Path.of(System.getProperty("camhook." + host)))) {
      return files.map(Path::toString).collect(Collectors.joining(File.pathSeparator));
    }
  }

  /** Whether finite differences of the program's result are accurate enough. */
  boolean hasDerivatives() {
    return true;
  }

  /** The program's arguments before the sentences. */
  abstract List<String> arguments() throws IOException;

  final ForkedJvm.Result embed(boolean agent, String... sentences) throws Exception {
    return embed(agent, arguments(), sentences);
  }

  final ForkedJvm.Result embed(boolean agent, List<String> first, String... sentences)
      throws Exception {
    Path program = directory.resolve(source.substring(source.lastIndexOf('/') + 1));
    try (var in = EmbeddingHost.class.getResourceAsStream(source)) {
      Files.write(program, in.readAllBytes());
    }
    ForkedJvm jvm = new ForkedJvm(directory);
    if (agent) {
      jvm.agent("camhook.yaml");
    }
    List<String> arguments = new ArrayList<>(first);
    arguments.addAll(List.of(sentences));
    ForkedJvm.Result result =
        jvm.run(jars(host), program.toString(), arguments.toArray(String[]::new));
    assertThat(result.status()).as(result.err()).isZero();
    return result;
  }

  /** A file of LangChain4j's jar, beside the program. */
  final Path extracted(String name) throws IOException {
    Path file = directory.resolve(name);
    if (!Files.exists(file)) {
      Files.write(file, entry(name));
    }
    return file;
  }

  final void configure(String recording, String target, String capture) throws IOException {
    Files.writeString(
        directory.resolve("camhook.yaml"),
        """
        version: 1
        models:
          - name: "*"
            layers: [%s]
            capture: [%s]
            target: "%s"
        sampling: { rate: 1 }
        output: { directory: %s }
        """
            .formatted(TOKENS, capture, target, recording));
  }

  final List<Capture> captures(String recording) throws IOException {
    List<Capture> all = new ArrayList<>();
    try (RecordingReader reader = RecordingReader.open(directory.resolve(recording))) {
      for (Capture capture = reader.next(); capture != null; capture = reader.next()) {
        all.add(capture);
      }
    }
    return all;
  }

  @Test
  void words_that_make_two_sentences_similar_should_be_found() throws Exception {
    String plain = embed(false, CAT, KITTEN).out();

    configure("outputs", "none", "output");
    assertThat(embed(true, CAT, KITTEN).out()).isEqualTo(plain);
    try (FileChannel file =
        FileChannel.open(
            directory.resolve("kitten.safetensors"),
            StandardOpenOption.CREATE_NEW,
            StandardOpenOption.WRITE)) {
      captures("outputs").get(1).write(file);
    }

    configure("similar", "similarity:kitten.safetensors", "input, activation, gradient, output");
    ForkedJvm.Result woven = embed(true, CAT);
    assertThat(woven.out()).isEqualTo(plain.lines().findFirst().orElseThrow() + "\n");
    assertThat(directory.resolve("similar")).as(woven.err()).exists();
    Capture capture = captures("similar").get(0);

    double[] saliency = saliency(capture);
    // [CLS] the cat sat on the mat [SEP]: of the words, those with a counterpart matter most.
    assertThat(saliency).hasSize(8);
    assertThat(Math.abs(saliency[2])).isGreaterThan(Math.abs(saliency[1]));
    assertThat(capture.targets().get(0).score()).isBetween(0.3, 0.9);
    if (hasDerivatives()) {
      assertDerivatives(capture, captures("outputs").get(1).tensors().get("output.0"));
    }
  }

  /** Gradient × input, summed over the features of each token. */
  private static double[] saliency(Capture capture) {
    Tensor a = capture.tensors().get("activation/" + TOKENS);
    float[] activation = a.toFloats();
    float[] gradient = capture.tensors().get("gradient/" + TOKENS).toFloats();
    int width = (int) a.size(2);
    double[] tokens = new double[activation.length / width];
    for (int i = 0; i < activation.length; i++) {
      tokens[i / width] += (double) activation[i] * gradient[i];
    }
    return tokens;
  }

  /** Directional derivatives of the similarity at the tokens, by finite differences. */
  private static void assertDerivatives(Capture capture, Tensor reference) throws Exception {
    Tensor a = capture.tensors().get("activation/" + TOKENS);
    float[] activation = a.toFloats();
    float[] gradient = capture.tensors().get("gradient/" + TOKENS).toFloats();
    double[] other = summed(reference.toFloats(), (int) reference.size(2));
    OnnxModel model = OpsetUpgrade.upgraded(OnnxModel.parse(entry(MODEL)));
    List<String> inputs = model.graph().realInputs().stream().map(ValueInfo::name).toList();
    Tensor mask = capture.tensors().get("input." + inputs.indexOf("attention_mask"));
    String output = model.graph().outputs().get(0).name();
    OrtEnvironment environment = OrtEnvironment.getEnvironment();
    byte[] suffix =
        Subgraph.between(
                model,
                List.of(TOKENS, "attention_mask"),
                List.of(output),
                Map.of(TOKENS, TensorType.of(ElementType.FLOAT, -1, -1, a.size(2))))
            .toByteArray();
    try (OrtSession session = environment.createSession(suffix)) {
      Random random = new Random(1);
      for (int round = 0; round < 4; round++) {
        double[] direction = new double[activation.length];
        double expected = 0;
        double length = 0;
        for (int i = 0; i < direction.length; i++) {
          direction[i] =
              gradient[i] + (round == 0 ? 0 : 0.02 * random.nextGaussian() * norm(gradient));
          expected += direction[i] * gradient[i];
          length += direction[i] * direction[i];
        }
        double step = 0.05 / Math.sqrt(length);
        double[] ends = new double[4];
        for (int k = 0; k < 4; k++) { // at -2, -1, 1 and 2 steps
          float[] moved = new float[activation.length];
          double by = step * (k < 2 ? k - 2 : k - 1);
          for (int i = 0; i < moved.length; i++) {
            moved[i] = (float) (activation[i] + by * direction[i]);
          }
          ends[k] = cosine(run(environment, session, moved, a.shape(), mask), other);
        }
        double found = (ends[0] - 8 * ends[1] + 8 * ends[2] - ends[3]) / (12 * step);
        assertThat(found).isCloseTo(expected, within(1e-4 * norm(gradient) * Math.sqrt(length)));
      }
    }
  }

  private static double norm(float[] values) {
    double squares = 0;
    for (float value : values) {
      squares += (double) value * value;
    }
    return Math.sqrt(squares);
  }

  private static byte[] entry(String name) throws IOException {
    String jar =
        Stream.of(jars("langchain4j").split(File.pathSeparator))
            .filter(path -> path.matches(".*all-minilm-l6-v2-[0-9].*"))
            .findFirst()
            .orElseThrow();
    try (JarFile file = new JarFile(jar)) {
      return file.getInputStream(file.getEntry(name)).readAllBytes();
    }
  }

  private static double[] run(
      OrtEnvironment environment,
      OrtSession session,
      float[] tokens,
      long[] shape,
      Tensor attention)
      throws Exception {
    long[] mask = new long[(int) shape[1]];
    attention.data().order(ByteOrder.LITTLE_ENDIAN).asLongBuffer().get(mask);
    Map<String, OnnxTensor> inputs = new HashMap<>();
    inputs.put(TOKENS, OnnxTensor.createTensor(environment, FloatBuffer.wrap(tokens), shape));
    if (session.getInputNames().contains("attention_mask")) {
      inputs.put(
          "attention_mask",
          OnnxTensor.createTensor(environment, LongBuffer.wrap(mask), new long[] {1, mask.length}));
    }
    try (OrtSession.Result result = session.run(inputs)) {
      FloatBuffer values =
          ((OnnxTensor) result.get(0))
              .getByteBuffer()
              .order(ByteOrder.nativeOrder())
              .asFloatBuffer();
      float[] all = new float[values.remaining()];
      values.get(all);
      return summed(all, all.length / mask.length);
    } finally {
      inputs.values().forEach(OnnxTensor::close);
    }
  }

  /** Over the tokens. */
  private static double[] summed(float[] values, int width) {
    double[] sum = new double[width];
    for (int i = 0; i < values.length; i++) {
      sum[i % width] += values[i];
    }
    return sum;
  }

  private static double cosine(double[] a, double[] b) {
    double product = 0;
    double squaresOfA = 0;
    double squaresOfB = 0;
    for (int i = 0; i < a.length; i++) {
      product += a[i] * b[i];
      squaresOfA += a[i] * a[i];
      squaresOfB += b[i] * b[i];
    }
    return product / Math.sqrt(squaresOfA * squaresOfB);
  }
}
