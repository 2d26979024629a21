package io.camhook.djl.request;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.nn.Block;
import io.camhook.capture.Admission;
import io.camhook.capture.ClassScores;
import io.camhook.capture.HeapCapture;
import io.camhook.capture.Recorder;
import io.camhook.config.CamhookConfig.CaptureKind;
import io.camhook.config.Condition;
import io.camhook.dispatch.BlockCall;
import io.camhook.dispatch.Dispatch;
import io.camhook.dispatch.Failures;
import io.camhook.dispatch.Request;
import io.camhook.djl.autograd.Tensors;
import io.camhook.djl.model.ModelPlan;
import io.camhook.djl.pass.PassWatch;
import io.camhook.djl.pass.Scores;
import io.camhook.djl.pass.ThreadWork;
import io.camhook.recording.Capture;
import io.camhook.recording.Prediction;
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
  private final @Nullable Condition when;
  private final Admission admission;
  private final Recorder recorder;
  private final Failures failures;
  private boolean inside;

  /**
   * @param when the condition that its result must meet to be captured; null captures any
   * @param admission room in the queue until the request ends
   */
  public OutsideRequest(
      ModelPlan plan,
      Block root,
      @Nullable Condition when,
      Admission admission,
      Recorder recorder,
      Failures failures) {
    this.plan = plan;
    this.root = root;
    this.when = when;
    this.admission = admission;
    this.recorder = recorder;
    this.failures = failures;
    Dispatch.retain();
  }

  @Override
  public void close() {
    Dispatch.release();
    admission.close();
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
    long begin = System.nanoTime();
    try {
      if (plan.captures(CaptureKind.INPUT)) {
        add(capture, inputs, true);
      }
    } catch (Throwable e) {
      lost(e);
      return null;
    }
    long before = System.nanoTime() - begin;
    return (result, thrown) -> {
      inside = false;
      if (thrown == null && result instanceof NDList outputs) {
        try {
          finish(capture, outputs, before);
        } catch (Throwable e) {
          lost(e);
        }
      }
      return result;
    };
  }

  private void finish(Capture.Builder capture, NDList outputs, long before) {
    long begin = System.nanoTime();
    if (!isWanted(outputs)) {
      recorder.skipped();
      return;
    }
    if (plan.captures(CaptureKind.OUTPUT)) {
      add(capture, outputs, false);
    }
    recorder.submit(new HeapCapture(capture.build()));
    recorder.took(before + System.nanoTime() - begin);
    failures.worked(lostPass());
  }

  /** Without class scores, {@code [C]} or {@code [N,C]}, no condition is met. */
  private boolean isWanted(NDList outputs) {
    if (when == null) {
      return true;
    }
    String named = plan.scored().output();
    NDArray scores = named == null ? Scores.among(outputs) : Scores.named(outputs, named);
    if (scores == null || scores.getShape().dimension() > 2) {
      return false;
    }
    float[] values = Tensors.toTensor(scores).toFloats();
    int samples = scores.getShape().dimension() == 1 ? 1 : (int) scores.getShape().get(0);
    ClassScores classes = new ClassScores(values, samples, values.length / samples);
    return Prediction.anyMeets(classes.predictions(plan.classNames()), when::holds);
  }

  private void lost(Throwable cause) {
    recorder.lost(cause);
    failures.add(lostPass(), cause);
  }

  private String lostPass() {
    return "a pass of model " + plan.label() + " could not be captured";
  }

  private static void add(Capture.Builder capture, List<NDArray> arrays, boolean inputs) {
    for (int i = 0; i < arrays.size(); i++) {
      capture.tensor(
          inputs ? TensorName.input(i) : TensorName.output(i), Tensors.toTensor(arrays.get(i)));
    }
  }
}
