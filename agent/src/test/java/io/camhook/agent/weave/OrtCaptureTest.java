package io.camhook.agent.weave;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.camhook.capture.Loss;
import io.camhook.config.CamhookConfig;
import io.camhook.config.CamhookConfig.CaptureKind;
import io.camhook.config.CamhookConfig.Limits;
import io.camhook.config.CamhookConfig.Sampling;
import io.camhook.config.CamhookConfig.Target;
import io.camhook.config.Condition;
import io.camhook.onnx.graph.Graph;
import io.camhook.onnx.graph.OnnxModel;
import io.camhook.onnx.graph.ValueInfo;
import io.camhook.recording.Capture;
import io.camhook.recording.Counters;
import io.camhook.recording.Tensor;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicReference;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Sessions of onnxruntime that the application makes and runs itself, under the agent. */
class OrtCaptureTest {
  private static final Limits LIMITS = new Limits(1L << 28, Limits.WhenFull.BLOCK, false);
  private static final Sampling ALL = new Sampling(1, Double.POSITIVE_INFINITY);

  private final OrtEnvironment environment = OrtEnvironment.getEnvironment();

  private static CamhookConfig config(String name, Target target, String... layers) {
    return WovenDjl.config(1, false, model(name, target, Set.of(CaptureKind.values()), layers));
  }

  private static CamhookConfig.Model model(
      String name, Target target, Set<CaptureKind> capture, String... layers) {
    return new CamhookConfig.Model(name, List.of(layers), capture, target, null, List.of(), null);
  }

  private static List<ByteBuffer> bytes(OrtSession.Result result) {
    List<ByteBuffer> all = new ArrayList<>();
    for (Map.Entry<String, OnnxValue> output : result) {
      all.add(((OnnxTensor) output.getValue()).getByteBuffer());
    }
    return all;
  }

  private List<ByteBuffer> plain(OnnxReference reference) throws OrtException {
    try (OrtSession session = environment.createSession(reference.file().toString());
        OrtSession.Result result = session.run(reference.inputs(environment))) {
      return bytes(result);
    }
  }

  @Test
  void session_of_a_file_should_be_captured_with_its_inputs_and_outputs() throws Exception {
    OnnxReference reference = OnnxReference.of("gap_linear.l17");
    List<ByteBuffer> plain = plain(reference);
    try (WovenOrt woven = new WovenOrt(config("gap_linear*", Target.TOP1));
        OrtSession session = environment.createSession(reference.file().toString());
        OrtSession.Result result = session.run(reference.inputs(environment))) {
      assertThat(bytes(result)).isEqualTo(plain);
      Capture capture = woven.captured(1).get(0);
      assertThat(capture.model()).isEqualTo("gap_linear.l17.onnx");
      Tensor input = capture.tensors().get("input.0");
      assertThat(input.data())
          .isEqualTo(reference.network().tensors().tensors().get("input").data());
      assertThat(capture.tensors().get("output.0").data()).isEqualTo(plain.get(0));
      assertThat(capture.topK().get(0).get(0).index()).isEqualTo(reference.network().scoredClass());
      assertThat(woven.failures).isEmpty();
    }
  }

  @Test
  void sessions_of_arrays_and_buffers_should_be_matched_by_a_star() throws Exception {
    OnnxReference reference = OnnxReference.of("gap_linear.l17");
    byte[] array = Files.readAllBytes(reference.file());
    ByteBuffer buffer = ByteBuffer.allocateDirect(array.length).put(array).flip();
    try (WovenOrt woven = new WovenOrt(config("*", Target.TOP1));
        OrtSession ofArray = environment.createSession(array);
        OrtSession ofBuffer = environment.createSession(buffer);
        OrtSession.Result one = ofArray.run(reference.inputs(environment));
        OrtSession.Result two = ofBuffer.run(reference.inputs(environment))) {
      assertThat(bytes(one)).isEqualTo(bytes(two));
      assertThat(woven.captured(2)).hasSize(2);
    }
  }

  /**
   * The map of the last convolutions, {@code [N,C,H,W]}, is an output too, and a class is a row of
   * it: its score is the sum over channels and columns, whose gradient is 1 in that row.
   */
  @Test
  void output_and_class_axis_of_the_configuration_should_be_explained() throws Exception {
    OnnxReference reference = OnnxReference.of("gap_linear.l17");
    String map = reference.value("features");
    OnnxModel model = OnnxModel.read(reference.file());
    Graph graph = model.graph();
    List<ValueInfo> outputs = new ArrayList<>(graph.outputs());
    outputs.add(ValueInfo.named(map));
    byte[] both =
        model
            .withGraph(graph.with(graph.nodes(), graph.initializers(), graph.inputs(), outputs))
            .toByteArray();
    for (String output : List.of("1", map)) {
      CamhookConfig.Model named =
          new CamhookConfig.Model(
              "*",
              List.of("features"),
              Set.of(CaptureKind.values()),
              Target.TOP1,
              null,
              List.of(),
              null,
              new CamhookConfig.Scored(output, 2));
      try (WovenOrt woven = new WovenOrt(WovenDjl.config(1, false, named));
          OrtSession session = environment.createSession(both);
          OrtSession.Result result = session.run(reference.inputs(environment))) {
        Capture capture = woven.captured(1).get(0);
        assertThat(woven.failures).isEmpty();
        Tensor values = capture.tensors().get("output.1");
        int rows = (int) values.size(2);
        int columns = (int) values.size(3);
        double[] sums = new double[rows];
        float[] all = values.toFloats();
        for (int i = 0; i < all.length / (int) values.size(0); i++) {
          sums[i / columns % rows] += all[i];
        }
        int row = capture.targets().get(0).index();
        assertThat(capture.targets().get(0).score())
            .isCloseTo(Arrays.stream(sums).max().orElseThrow(), Offset.offset(1e-3));
        assertThat(capture.targets().get(0).score()).isCloseTo(sums[row], Offset.offset(1e-3));
        float[] gradient = capture.tensors().get("gradient/features").toFloats();
        for (int i = 0; i < all.length / (int) values.size(0); i++) {
          assertThat(gradient[i]).isEqualTo(i / columns % rows == row ? 1f : 0f);
        }
      }
    }
  }

  @Test
  void session_that_nothing_matches_should_be_left_alone() throws Exception {
    OnnxReference reference = OnnxReference.of("gap_linear.l17");
    try (WovenOrt woven = new WovenOrt(config("other", Target.TOP1));
        OrtSession session = environment.createSession(reference.file().toString());
        OrtSession.Result result = session.run(reference.inputs(environment))) {
      assertThat(result.size()).isEqualTo(1);
      assertThat(woven.counters().fired()).isZero();
      assertThat(woven.messages)
          .anyMatch(line -> line.contains("gap_linear.l17.onnx is not hooked: no entry"));
    }
  }

  @Test
  void failure_of_a_run_should_reach_the_application_as_it_is() throws Exception {
    OnnxReference reference = OnnxReference.of("gap_linear.l17");
    try (WovenOrt woven = new WovenOrt(config("*", Target.TOP1));
        OrtSession session = environment.createSession(reference.file().toString())) {
      assertThatThrownBy(() -> session.run(Map.of()))
          .isInstanceOf(OrtException.class)
          .hasMessageContaining("Unexpected number of inputs");
      assertThat(woven.counters().fired()).isZero();
    }
  }

  @Test
  void four_threads_should_get_what_they_get_without_the_agent() throws Exception {
    OnnxReference reference = OnnxReference.of("gap_linear.l17");
    List<ByteBuffer> plain = plain(reference);
    ExecutorService threads = Executors.newFixedThreadPool(4);
    try (WovenOrt woven = new WovenOrt(config("*", Target.TOP1));
        OrtSession session = environment.createSession(reference.file().toString())) {
      List<Callable<List<ByteBuffer>>> runs = new ArrayList<>();
      for (int i = 0; i < 100; i++) {
        runs.add(
            () -> {
              try (OrtSession.Result result = session.run(reference.inputs(environment))) {
                return bytes(result);
              }
            });
      }
      for (Future<List<ByteBuffer>> run : threads.invokeAll(runs)) {
        assertThat(run.get()).isEqualTo(plain);
      }
      assertThat(woven.captured(100)).hasSize(100);
    } finally {
      threads.shutdown();
    }
  }

  private static CamhookConfig config(Sampling sampling, Limits limits) {
    return new CamhookConfig(
        List.of(model("*", Target.TOP1, Set.of(CaptureKind.values()), "act")),
        sampling,
        limits,
        new CamhookConfig.Output("unused", 1L << 28),
        false);
  }

  private OrtSession.Result run(OrtSession session, float... channels) throws OrtException {
    float[] values = new float[8];
    Arrays.fill(values, 0, 4, channels[0]);
    Arrays.fill(values, 4, 8, channels[1]);
    try (OnnxTensor input =
        OnnxTensor.createTensor(environment, FloatBuffer.wrap(values), new long[] {1, 2, 2, 2})) {
      return session.run(Map.of("x", input));
    }
  }

  /**
   * Channels with the means (1, 0) have the logits (1, 3, 5), so that class 2 has e⁵ ÷ (e + e³ +
   * e⁵) = 0.867. With (0, 0) each class has a third.
   */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void result_should_decide_whether_a_run_is_captured(boolean ready) throws Exception {
    Condition unsure = new Condition(List.of(List.of(new Condition.Confidence(true, false, 0.6))));
    Sampling sampling = new Sampling(1, 1, Double.POSITIVE_INFINITY, unsure);
    try (WovenOrt woven = new WovenOrt(config(sampling, LIMITS))) {
      OrtSession session;
      if (ready) {
        session = environment.createSession(TinyOnnx.classifier());
        woven.idle();
        run(session, 1, 0).close();
        run(session, 0, 0).close();
      } else {
        session = early(woven, List.of(1f, 0f));
      }
      Capture only = woven.captured(1).get(0);
      assertThat(only.tensors().get("output.0").toFloats()).containsExactly(0, 0, 0);
      assertThat(only.tensors()).containsKeys("activation/act", "gradient/act");
      assertThat(woven.counters()).isEqualTo(new Counters(1, 1, 0, 0));
      assertThat(woven.status().sampled()).isEqualTo(2);
      assertThat(woven.status().skipped()).isEqualTo(1);
      assertThat(woven.status().requestTime().count()).isEqualTo(1);
      session.close();
    }
  }

  /**
   * A session whose first runs, by the means of the first channel, are over before its side one.
   */
  private OrtSession early(WovenOrt woven, List<Float> means) throws Exception {
    AtomicReference<OrtSession> made = new AtomicReference<>();
    woven.busy(
        () -> {
          made.set(environment.createSession(TinyOnnx.classifier()));
          for (float mean : means) {
            run(made.get(), mean, 0).close();
          }
        });
    return made.get();
  }

  @Test
  void every_third_run_should_be_captured() throws Exception {
    Sampling sampling = new Sampling(1, 3, Double.POSITIVE_INFINITY, null);
    try (WovenOrt woven = new WovenOrt(config(sampling, LIMITS));
        OrtSession session = environment.createSession(TinyOnnx.classifier())) {
      for (int i = 1; i <= 9; i++) {
        run(session, i, 0).close();
      }
      // logit 0 is the mean of the first channel
      assertThat(woven.captured(3))
          .extracting(capture -> capture.tensors().get("output.0").toFloats()[0])
          .containsExactly(3f, 6f, 9f);
    }
  }

  /** Passes that wait for the side session count in limits.queue: 2 · 8 floats and 3 each. */
  @Test
  void runs_that_wait_for_their_side_session_should_be_bounded_by_the_queue() throws Exception {
    Limits limits = new Limits(200, Limits.WhenFull.DROP, Duration.ZERO, Duration.ZERO, false);
    try (WovenOrt woven = new WovenOrt(config(ALL, limits));
        OrtSession ignored = early(woven, Collections.nCopies(20, 1f))) {
      woven.captured(20);
      assertThat(woven.status().losses().get(Loss.QUEUE_FULL)).isPositive();
      assertThat(woven.status().queueHighWater()).isLessThanOrEqualTo(200);
      assertThat(woven.failureCount()).isZero();
    }
  }

  @Test
  void runs_that_wait_longer_than_limits_close_should_be_counted_as_failed() throws Exception {
    Limits limits =
        new Limits(1L << 20, Limits.WhenFull.DROP, Duration.ZERO, Duration.ofMillis(50), false);
    WovenOrt woven = new WovenOrt(config(ALL, limits));
    woven.busy(
        () -> {
          try (OrtSession session = environment.createSession(TinyOnnx.classifier())) {
            run(session, 1, 0).close();
            run(session, 2, 0).close();
            woven.close();
          }
        });
    assertThat(woven.counters()).isEqualTo(new Counters(2, 0, 0, 2));
    assertThat(woven.messages)
        .contains(
            "onnxruntime: 2 runs are not captured: their side session was not ready within"
                + " limits.close");
  }
}
