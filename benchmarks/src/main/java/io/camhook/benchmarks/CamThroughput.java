package io.camhook.benchmarks;

import com.sun.management.OperatingSystemMXBean;
import io.camhook.cam.CamMethod;
import io.camhook.cam.CamMethods;
import io.camhook.cam.CaptureLayers;
import io.camhook.cam.FloatMap;
import io.camhook.cam.Heatmaps;
import io.camhook.cam.LayerTensors;
import io.camhook.recording.Capture;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.function.Supplier;

/**
 * Captures of ResNet-50's layer4, [2048,7,7], turned into maps per second of processor time. The
 * time of the whole process counts, including garbage collection, so a busy machine does not
 * matter.
 */
final class CamThroughput {
  private static final List<String> METHODS =
      List.of(System.getProperty("methods", "gradcam,layercam,gradcam++").split(","));
  private static final int ROUNDS = 9;
  private static final double WARM_UP_SECONDS = 3;
  private static final double ROUND_SECONDS = 0.5;
  private static final OperatingSystemMXBean SYSTEM =
      ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);

  private final Capture capture = SampleCaptures.of(224, 2048, 7);
  private final CamMethod method;

  /** Keeps the result alive, so that the compiler cannot remove the work. */
  private volatile float sink;

  private CamThroughput(String id) {
    this.method = CamMethods.byId(id);
  }

  public static void main(String[] arguments) {
    Verdict verdict = new Verdict();
    for (String id : METHODS) {
      CamThroughput run = new CamThroughput(id);
      verdict.atLeast(2000, run.perSecond(run::raw), "captures/s per core, raw map by " + id);
      Verdict.note(run.perSecond(run::heatmap), "captures/s per core, heatmap of 224x224 by " + id);
    }
    verdict.exit();
  }

  /** From the tensors of the capture to the raw map. */
  private FloatMap raw() {
    LayerTensors layer = CaptureLayers.of(capture, List.of("layer4"), 0).get(0);
    return method.raw(layer, 0, CaptureLayers.inputShape(capture));
  }

  /** From the tensors of the capture to the heatmap of the input's size. */
  private FloatMap heatmap() {
    List<LayerTensors> layers = CaptureLayers.of(capture, List.of("layer4"), 0);
    return Heatmaps.standard().one(method, layers, CaptureLayers.inputShape(capture), 0).heatmap();
  }

  private double perSecond(Supplier<FloatMap> work) {
    rate(work, WARM_UP_SECONDS);
    double[] rates = new double[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
      rates[i] = rate(work, ROUND_SECONDS);
    }
    return Verdict.median(rates);
  }

  private double rate(Supplier<FloatMap> work, double seconds) {
    long start = SYSTEM.getProcessCpuTime();
    long count = 0;
    double used;
    do {
      for (int i = 0; i < 100; i++) {
        sink = work.get().hashCode();
      }
      count += 100;
      used = (SYSTEM.getProcessCpuTime() - start) / 1e9;
    } while (used < seconds);
    return count / used;
  }
}
