package io.camhook.samples.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Model;
import ai.djl.inference.Predictor;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.translate.NoopTranslator;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtSession;
import io.camhook.samples.pictures.DrawnPicture;
import io.camhook.samples.pictures.PictureGenerator;
import io.camhook.samples.shapes.ShapesNet;
import io.camhook.samples.shapes.ShapesTranslator;
import org.junit.jupiter.api.Test;

class OnnxDemoTest {
  /** Both have the same weights, and run in independent engines. */
  @Test
  void network_should_answer_as_the_one_of_the_demo() throws Exception {
    OrtEnvironment environment = OrtEnvironment.getEnvironment();
    PictureGenerator generator = new PictureGenerator(7);
    try (Model model = ShapesNet.load();
        Predictor<NDList, NDList> djl = model.newPredictor(new NoopTranslator());
        OrtSession session = environment.createSession(OnnxDemo.model())) {
      for (int i = 0; i < 5; i++) {
        DrawnPicture picture = generator.picture(i);
        NDArray pixels =
            model
                .getNDManager()
                .create(picture.rgb())
                .reshape(new Shape(picture.height(), picture.width(), 3))
                .toType(ai.djl.ndarray.types.DataType.UINT8, false);
        NDArray input = ShapesTranslator.normalise(pixels).expandDims(0);
        float[] expected = djl.predict(new NDList(input)).singletonOrThrow().toFloatArray();
        float[] found = OnnxDemo.logits(environment, session, picture);
        assertThat(found).hasSameSizeAs(expected);
        for (int c = 0; c < found.length; c++) {
          assertThat(found[c]).isCloseTo(expected[c], within(1e-3f));
        }
      }
    }
  }

  @Test
  void file_should_be_what_the_exporter_writes_from_the_weights() throws Exception {
    try (Model model = ShapesNet.load()) {
      assertThat(ExportShapes.export(model.getBlock(), ExportShapes.Kind.CLASSIFIER))
          .isEqualTo(OnnxDemo.model());
    }
  }

  @Test
  void detector_should_be_what_the_exporter_writes_from_the_weights() throws Exception {
    try (Model model = ShapesNet.load();
        java.io.InputStream in = OnnxDemo.class.getResourceAsStream("detector.onnx")) {
      assertThat(ExportShapes.export(model.getBlock(), ExportShapes.Kind.DETECTOR))
          .isEqualTo(in.readAllBytes());
    }
  }
}
