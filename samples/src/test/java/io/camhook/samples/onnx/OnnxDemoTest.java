package io.camhook.samples.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtSession;
import io.camhook.samples.pictures.Picture;
import io.camhook.samples.pictures.PictureGenerator;
import io.camhook.samples.plainjava.PlainNet;
import org.junit.jupiter.api.Test;

class OnnxDemoTest {
  /** Both have one set of weights; the plain network is written in Java without any library. */
  @Test
  void network_should_answer_as_the_one_in_java() throws Exception {
    OrtEnvironment environment = OrtEnvironment.getEnvironment();
    PlainNet plain = PlainNet.load();
    PictureGenerator generator = new PictureGenerator(7);
    try (OrtSession session = environment.createSession(OnnxDemo.model())) {
      for (int i = 0; i < 5; i++) {
        Picture picture = generator.picture(i);
        float[] expected = plain.forward(PlainNet.planes(picture));
        float[] found = OnnxDemo.logits(environment, session, picture);
        assertThat(found).hasSameSizeAs(expected);
        for (int c = 0; c < found.length; c++) {
          assertThat(found[c]).isCloseTo(expected[c], within(1e-3f));
        }
      }
    }
  }
}
