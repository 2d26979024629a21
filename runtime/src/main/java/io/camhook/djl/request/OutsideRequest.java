package io.camhook.djl.request;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.nn.Block;
import io.camhook.capture.HeapCapture;
import io.camhook.capture.Recorder;
import io.camhook.config.CamhookConfig.CaptureKind;
import io.camhook.dispatch.BlockCall;
import io.camhook.dispatch.Dispatch;
import io.camhook.dispatch.Failures;
import io.camhook.dispatch.Request;
import io.camhook.djl.autograd.Tensors;
import io.camhook.djl.model.ModelPlan;
import io.camhook.djl.pass.PassWatch;
import io.camhook.djl.pass.ThreadWork;
import io.camhook.recording.Capture;
import io.camhook.recording.TensorName;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A sampled request to a model whose engine allows no hooks inside: its inputs and outputs are
 * copied to the heap and recorded. Links to no PyTorch class, because PyTorch may be absent.
 */
public final class OutsideRequest implements Request, PassWatch {
  private final ModelPlan plan;
  private final Block root;
  private final Recorder recorder;
  private final Failures failures;
  private boolean inside;

  public OutsideRequest(ModelPlan plan, Block root, Recorder recorder, Failures failures) {
    this.plan = plan;
    this.root = root;
    this.recorder = recorder;
    this.failures = failures;
    Dispatch.retain();
  }

  @Override
  public void close() {
    Dispatch.release();
    ThreadWork work = ThreadWork.current();
    if (work != null) {
      work.watch = null;
      work.endIfIdle();
    }
  }

  @Override
  public @Nullable BlockCall enter(Block block, Object[] arguments) {
    if (block != root || inside) {
      return null;
    }
    inside = true;
    NDList inputs = (NDList) arguments[1];
    Capture.Builder capture = Capture.builder(plan.label());
    String what = "a pass of model " + plan.label() + " could not be captured";
    try {
      if (plan.captures(CaptureKind.INPUT)) {
        add(capture, inputs, true);
      }
    } catch (Throwable e) {
      failures.add(what, e);
      return null;
    }
    return (result, thrown) -> {
      inside = false;
      if (thrown == null && result instanceof NDList outputs) {
        try {
          if (plan.captures(CaptureKind.OUTPUT)) {
            add(capture, outputs, false);
          }
          recorder.submit(new HeapCapture(capture.build()));
          failures.worked(what);
        } catch (Throwable e) {
          recorder.lost();
          failures.add(what, e);
        }
      }
      return result;
    };
  }

  private static void add(Capture.Builder capture, List<NDArray> arrays, boolean inputs) {
    for (int i = 0; i < arrays.size(); i++) {
      capture.tensor(
          inputs ? TensorName.input(i) : TensorName.output(i), Tensors.toTensor(arrays.get(i)));
    }
  }
}
