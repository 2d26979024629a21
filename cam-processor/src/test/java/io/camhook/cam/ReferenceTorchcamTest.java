package io.camhook.cam;

import java.nio.file.Files;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * The maps of torchcam, which has CAM and 1-D signals. Its GradCAMpp is left out: the division of
 * its weights has no effect there, and we follow pytorch-grad-cam.
 */
class ReferenceTorchcamTest {
  /** torchcam's epsilon in min-max scaling. */
  private static final double EPSILON = 1e-8;

  private static final Map<String, String> IDS =
      new LinkedHashMap<>(
          Map.of(
              "CAM", "cam", "GradCAM", "gradcam", "XGradCAM", "xgradcam", "LayerCAM", "layercam"));

  private static final Maps WORST = new Maps();

  @TestFactory
  List<DynamicTest> maps_should_be_those_of_torchcam() {
    return ReferenceCase.testsOrSkip(
        cases -> {
          List<DynamicTest> tests = new ArrayList<>();
          for (ReferenceCase reference : cases) {
            for (String name : IDS.keySet()) {
              for (LayerTensors layer : reference.layers()) {
                String suffix = reference.layerNames().size() > 1 ? "/" + layer.path() : "";
                if (reference.has("torchcam/" + name + "/raw" + suffix)) {
                  tests.add(
                      DynamicTest.dynamicTest(
                          reference + " " + name + suffix,
                          () -> compare(reference, name, layer, suffix)));
                }
              }
            }
          }
          return tests;
        });
  }

  private static void compare(
      ReferenceCase reference, String name, LayerTensors layer, String suffix) {
    CamMethod method = CamMethods.byId(IDS.get(name));
    String prefix = "torchcam/" + name + "/";
    for (int n = 0; n < layer.samples(); n++) {
      FloatMap raw = method.raw(layer.sample(n, reference.inputShape()));
      FloatMap rectified = name.equals("CAM") ? raw : raw.relu();
      FloatMap expected = reference.map(prefix + "raw" + suffix, n);
      // SqueezeNet's CAM reaches hundreds, where a float32 has no 1e-5: one part in 1e5 there.
      double scale = name.equals("CAM") ? Math.max(1, Maps.magnitude(expected)) : 1;
      WORST.require(prefix + "raw", rectified, expected, 1e-5 * scale);
      FloatMap scaled = rectified.scaled(EPSILON);
      WORST.require(
          prefix + "normalized", scaled, reference.map(prefix + "normalized" + suffix, n), 1e-5);
      if (reference.has(prefix + "resized" + suffix) && scaled.rank() < 3) {
        FloatMap resized = reference.map(prefix + "resized" + suffix, n);
        WORST.require(prefix + "resized", Heatmaps.resize(scaled, resized.shape()), resized, 1e-4);
      }
    }
  }

  @Test
  void scaled_maximum_should_be_the_fusion_of_torchcam() {
    for (String name : List.of("cifar_resnet20_three_layers", "squeezenet_both_two_layers")) {
      if (!Files.exists(ReferenceCase.folder().resolve(name + ".json"))) {
        continue; // a clone has only the first
      }
      ReferenceCase reference = ReferenceCase.named(name);
      List<FloatMap> raw = new ArrayList<>();
      for (LayerTensors layer : reference.layers()) {
        if (reference.has("torchcam/LayerCAM_fused/" + layer.path())) {
          raw.add(CamMethods.byId("layercam").raw(layer.sample(0, reference.inputShape())));
        }
      }
      for (String key : List.of("fused", "fused_input_size")) {
        FloatMap expected = reference.map("torchcam/LayerCAM_fused/" + key, 0);
        FloatMap fused = Aggregation.SCALED_MAX.aggregate(raw, expected.shape());
        WORST.require("torchcam/" + key, fused, expected, 1e-5);
      }
    }
  }

  @Test
  void shapleycam_should_be_proven_from_a_recording_where_the_head_is_linear() {
    ReferenceCase reference = ReferenceCase.named("gap_linear_cam");
    LayerSample sample = reference.layers().get(0).sample(0, reference.inputShape());
    WORST.require(
        "raw/ShapleyCAM (linear head)",
        CamMethods.byId("shapleycam").raw(sample),
        reference.map("raw/ShapleyCAM", 0),
        1e-5);
  }

  @Test
  void augmentation_smoothing_should_be_the_mean_that_pytorch_grad_cam_takes() {
    ReferenceCase reference = ReferenceCase.named("cifar_resnet20_both_crop");
    for (String name : List.of("GradCAM", "EigenCAM", "LayerCAM")) {
      List<FloatMap> parts = new ArrayList<>();
      for (int v = 0; v < 6; v++) {
        FloatMap batch = reference.map("aug_smooth/parts/" + name, v);
        parts.add(FloatMap.of(batch.values(), batch.shape()[1], batch.shape()[2]));
      }
      FloatMap expected = reference.map("aug_smooth/final/" + name, 0);
      WORST.require("aug_smooth/" + name, AugSmooth.mean(parts), expected, 1e-6);
    }
  }

  @AfterAll
  static void print_worst() {
    WORST.print();
  }
}
