package io.camhook.djl.request;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.Blocks;
import io.camhook.capture.CaptureSink;
import io.camhook.capture.CaptureStatus;
import io.camhook.capture.Recorder;
import io.camhook.config.CamhookConfig;
import io.camhook.config.CamhookConfig.CaptureKind;
import io.camhook.config.CamhookConfig.Limits;
import io.camhook.config.Condition;
import io.camhook.dispatch.BlockCall;
import io.camhook.dispatch.EventLog;
import io.camhook.dispatch.Failures;
import io.camhook.djl.model.BlockTree;
import io.camhook.djl.model.ModelPlan;
import io.camhook.recording.Capture;
import io.camhook.recording.Counters;
import io.camhook.recording.ModelInfo;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** A model of an engine that allows no hooks inside; its arrays are PyTorch's. */
class OutsideRequestTest {
  private static final Condition UNSURE =
      new Condition(List.of(List.of(new Condition.Confidence(true, false, 0.6))));

  private final Block root = Blocks.identityBlock();
  private final List<Capture> captures = Collections.synchronizedList(new ArrayList<>());
  private final Failures failures = new Failures(EventLog.SILENT);
  private final Recorder recorder =
      new Recorder(
          new Limits(1 << 20, Limits.WhenFull.BLOCK, false),
          "a list",
          () ->
              new CaptureSink() {
                @Override
                public void write(Capture capture) {
                  captures.add(capture);
                }

                @Override
                public void close(CaptureStatus status) {}
              },
          EventLog.SILENT);

  private void request(Condition when, NDList inputs, Object outputs) {
    CamhookConfig.Model entry =
        new CamhookConfig.Model(
            "net",
            List.of(),
            Set.of(CaptureKind.INPUT, CaptureKind.OUTPUT),
            CamhookConfig.Target.TOP1,
            null,
            List.of(),
            null);
    ModelPlan plan =
        new ModelPlan(
            entry,
            new ModelInfo("net", List.of()).on("TensorFlow 2.10.1"),
            List.of("cat", "dog"),
            BlockTree.of(root),
            null,
            List.of(),
            EventLog.SILENT);
    try (OutsideRequest request =
        new OutsideRequest(plan, root, when, recorder.admit(), recorder, failures)) {
      BlockCall call = request.enter(root, new Object[] {null, inputs, false, null});
      if (call != null) {
        assertThat(call.exit(outputs, null)).isSameAs(outputs);
      }
    }
  }

  /** Logits (2, 0) are a cat by e² ÷ (e² + 1) = 0.881; (0.1, 0) by 0.525. */
  @Test
  void result_should_decide_whether_it_is_captured() {
    try (NDManager manager = NDManager.newBaseManager("PyTorch")) {
      NDList inputs = new NDList(manager.ones(new Shape(1, 3)));
      request(UNSURE, inputs, new NDList(manager.create(new float[][] {{2, 0}})));
      request(UNSURE, inputs, new NDList(manager.create(new float[][] {{0.1f, 0}})));
      request(UNSURE, inputs, new NDList(manager.zeros(new Shape(1, 2, 3, 3)))); // no scores
      recorder.close();
    }
    assertThat(captures)
        .singleElement()
        .satisfies(
            capture ->
                assertThat(capture.tensors().get("output.0").toFloats()).containsExactly(0.1f, 0));
    assertThat(recorder.counters()).isEqualTo(new Counters(1, 1, 0, 0));
    assertThat(recorder.status().skipped()).isEqualTo(2);
    assertThat(recorder.status().requestTime().count()).isEqualTo(1);
  }

  @Test
  void arrays_that_cannot_be_read_should_count_as_a_lost_capture() {
    try (NDManager manager = NDManager.newBaseManager("PyTorch")) {
      NDArray closed = manager.ones(new Shape(1, 3));
      closed.close();
      request(null, new NDList(closed), new NDList(manager.create(new float[][] {{2, 0}})));
    }
    recorder.close();
    assertThat(recorder.counters()).isEqualTo(new Counters(1, 0, 0, 1));
    assertThat(failures.count()).isEqualTo(1);
  }
}
