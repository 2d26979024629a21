package io.camhook.cam;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Every map of the reference data that needs only A and g, compared with PyTorch's libraries. */
class ReferenceMapsTest {
  /** Names in the reference data → ids. */
  private static final Map<String, String> IDS = new LinkedHashMap<>();

  static {
    IDS.put("GradCAM", "gradcam");
    IDS.put("HiResCAM", "hirescam");
    IDS.put("GradCAMElementWise", "gradcam-elementwise");
    IDS.put("GradCAMPlusPlus", "gradcam++");
    IDS.put("XGradCAM", "xgradcam");
    IDS.put("LayerCAM", "layercam");
    IDS.put("EigenCAM", "eigencam");
    IDS.put("EigenGradCAM", "eigengradcam");
    IDS.put("SegEigenCAM", "segeigencam");
    IDS.put("KPCA_CAM", "kpcacam");
    IDS.put("FEM", "fem");
    IDS.put("FinerCAM", "finercam");
  }

  private static final Set<String> SIGN_IS_ARBITRARY =
      Set.of("EigenCAM", "EigenGradCAM", "KPCA_CAM");

  private static final Maps WORST = new Maps();

  @TestFactory
  List<DynamicTest> raw_maps_should_be_those_of_pytorch_grad_cam() {
    return ReferenceCase.testsOrSkip(ReferenceMapsTest::rawMaps);
  }

  private static List<DynamicTest> rawMaps(List<ReferenceCase> cases) {
    List<DynamicTest> tests = new ArrayList<>();
    for (ReferenceCase reference : cases) {
      for (String prefix : List.of("", "eigen_smooth/")) {
        for (Map.Entry<String, String> method : IDS.entrySet()) {
          String name = method.getKey();
          if (reference.has(prefix + "final/" + name)) {
            tests.add(
                DynamicTest.dynamicTest(
                    reference + " " + prefix + name, () -> compare(reference, prefix, name)));
          }
        }
      }
    }
    return tests;
  }

  private static void compare(ReferenceCase reference, String prefix, String name) {
    boolean anySign = !prefix.isEmpty() || SIGN_IS_ARBITRARY.contains(name);
    CamMethod method = CamMethods.byId(IDS.get(name));
    Heatmaps heatmaps = Heatmaps.standard().withEigenSmooth(!prefix.isEmpty());
    List<LayerTensors> layers = reference.layers();
    List<CamResult> results = heatmaps.all(method, layers, reference.inputShape());
    for (int n = 0; n < results.size(); n++) {
      List<FloatMap> signed = new ArrayList<>();
      for (LayerTensors layer : layers) {
        String key = prefix + "raw/" + name + (layers.size() > 1 ? "/" + layer.path() : "");
        FloatMap expected = reference.map(key, n);
        FloatMap raw = results.get(n).raw().get(layer.path());
        if (anySign && Maps.dot(raw, expected) < 0) {
          raw = raw.negated();
        }
        signed.add(raw);
        // EigenCAM has the scale of A, up to hundreds, where a float32 has no 1e-5: one part in
        // 1e5.
        double scale = name.equals("EigenCAM") ? Math.max(1, Maps.magnitude(expected)) : 1;
        WORST.require(prefix + "raw/" + name, raw, expected, 1e-5 * scale);
      }
      FloatMap heatmap =
          anySign ? heatmaps.heatmap(signed, spatial(reference)) : results.get(n).heatmap();
      FloatMap expected = reference.map(prefix + "final/" + name, n);
      WORST.require(prefix + "final/" + name, heatmap, expected, 1e-4);
    }
  }

  private static int[] spatial(ReferenceCase reference) {
    long[] input = reference.inputShape();
    int[] size = new int[input.length - 2];
    for (int i = 0; i < size.length; i++) {
      size[i] = (int) input[i + 2];
    }
    return size;
  }

  @AfterAll
  static void print_worst() {
    WORST.print();
  }
}
