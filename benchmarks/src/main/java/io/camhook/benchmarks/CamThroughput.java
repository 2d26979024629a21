package io.camhook.benchmarks;

import io.camhook.cam.CamMethod;
import io.camhook.cam.CamMethods;
import io.camhook.cam.CaptureLayers;
import io.camhook.cam.FloatMap;
import io.camhook.cam.Heatmaps;
import io.camhook.cam.LayerTensors;
import io.camhook.recording.Capture;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.OptionsBuilder;

/** Captures of ResNet-50's layer4, [2048,7,7], turned into maps per second on one core. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class CamThroughput {
  @Param({"gradcam", "layercam", "gradcam++"})
  public String method = "";

  private final Capture capture = SampleCaptures.of(224, 2048, 7);

  /** From the tensors of the capture to the raw map. */
  @Benchmark
  public FloatMap raw() {
    LayerTensors layer = CaptureLayers.of(capture, List.of("layer4"), 0).get(0);
    return CamMethods.byId(method).raw(layer.sample(0, CaptureLayers.inputShape(capture)));
  }

  /** From the tensors of the capture to the heatmap of 224×224. */
  @Benchmark
  public FloatMap heatmap() {
    CamMethod cam = CamMethods.byId(method);
    List<LayerTensors> layers = CaptureLayers.of(capture, List.of("layer4"), 0);
    return Heatmaps.standard().one(cam, layers, CaptureLayers.inputShape(capture), 0).heatmap();
  }

  public static void main(String[] arguments) throws RunnerException {
    Collection<RunResult> results =
        new Runner(new OptionsBuilder().include(CamThroughput.class.getName()).build()).run();
    Verdict verdict = new Verdict();
    for (RunResult result : results) {
      String method = result.getParams().getParam("method");
      double score = result.getPrimaryResult().getScore();
      if (result.getPrimaryResult().getLabel().equals("raw")) {
        verdict.atLeast(2000, score, "captures/s, raw map by " + method);
      } else {
        Verdict.note(score, "captures/s, heatmap of 224x224 by " + method);
      }
    }
    verdict.exit();
  }
}
