package io.camhook.agent;

import static org.assertj.core.api.Assertions.assertThat;

import app.toy.ToyNetwork;
import io.camhook.agent.weave.ToyWeaver;
import io.camhook.capture.CaptureSink;
import io.camhook.capture.CaptureStatus;
import io.camhook.capture.HeapCapture;
import io.camhook.capture.Recorder;
import io.camhook.config.CamhookConfig;
import io.camhook.config.CamhookConfig.Limits;
import io.camhook.dispatch.BlockCall;
import io.camhook.dispatch.Dispatch;
import io.camhook.dispatch.EventLog;
import io.camhook.engine.AdapterContext;
import io.camhook.engine.EngineAdapter;
import io.camhook.recording.Capture;
import io.camhook.recording.Tensor;
import io.camhook.recording.TensorName;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import net.bytebuddy.agent.ByteBuddyAgent;
import org.junit.jupiter.api.Test;

/**
 * An engine that camhook does not know needs an adapter ({@link ToyAdapter}), a weaving recipe
 * ({@link ToyWeaver}) and a registration, and no other change.
 */
class KnownEngineTest {
  private static final KnownEngine TOY =
      new KnownEngine(
          "toy",
          "app.toy.",
          ToyNetwork.class.getName(),
          application -> new ToyAdapter(),
          ToyWeaver::new);

  private static final CamhookConfig CONFIG =
      new CamhookConfig(
          List.of(),
          new CamhookConfig.Sampling(1, 0),
          new Limits(Limits.AUTO, Limits.WhenFull.DROP, false),
          new CamhookConfig.Output(null, 0),
          false);

  private final List<float[]> written = Collections.synchronizedList(new ArrayList<>());

  @Test
  void engine_should_be_captured_with_nothing_but_its_registration() {
    Recorder recorder = new Recorder(CONFIG.limits(), "a list", ListSink::new, EventLog.SILENT);
    RunningAgent agent =
        RunningAgent.start(
            CONFIG,
            null,
            recorder,
            (type, loader) -> {},
            EventLog.SILENT,
            ByteBuddyAgent.install(),
            List.of(TOY, KnownEngine.DJL));
    ToyNetwork network = new ToyNetwork();
    try {
      assertThat(network.run(new float[] {1, 2})).containsExactly(2, 4);
    } finally {
      agent.stop();
    }
    assertThat(network.run(new float[] {3})).containsExactly(6);
    assertThat(written).containsExactly(new float[] {2, 4});
    assertThat(Dispatch.installed()).isFalse();
  }

  /** Records what a network returns. */
  private static final class ToyAdapter implements EngineAdapter {
    private Recorder recorder;

    @Override
    public void start(AdapterContext context) {
      recorder = context.recorder();
    }

    @Override
    public BlockCall enter(Object network, Object[] arguments, Class<?> declares) {
      return (result, thrown) -> {
        float[] y = (float[]) result;
        Tensor output = Tensor.ofFloats(y, y.length);
        recorder.submit(
            new HeapCapture(Capture.builder("toy").tensor(TensorName.output(0), output).build()));
        return result;
      };
    }

    @Override
    public void close() {}
  }

  private final class ListSink implements CaptureSink {
    @Override
    public void write(Capture capture) {
      written.add(capture.tensor(TensorName.output(0)).orElseThrow().toFloats());
    }

    @Override
    public void close(CaptureStatus status) {}
  }
}
