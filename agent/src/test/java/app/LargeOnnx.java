package app;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtSession;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.Map;

/**
 * Runs a model of {@code x [N,2,2,2]} five times with an input of 64 MB outside the heap. The
 * argument is the file.
 */
public final class LargeOnnx {
  private static final int SAMPLES = 2_000_000;

  private LargeOnnx() {}

  public static void main(String[] arguments) throws Exception {
    OrtEnvironment environment = OrtEnvironment.getEnvironment();
    FloatBuffer values =
        ByteBuffer.allocateDirect(SAMPLES * 8 * Float.BYTES)
            .order(ByteOrder.nativeOrder())
            .asFloatBuffer();
    try (OrtSession session = environment.createSession(arguments[0]);
        OnnxTensor input =
            OnnxTensor.createTensor(environment, values, new long[] {SAMPLES, 2, 2, 2})) {
      for (int i = 0; i < 5; i++) {
        try (OrtSession.Result result = session.run(Map.of("x", input))) {
          System.out.println(Arrays.toString(((OnnxTensor) result.get(0)).getInfo().getShape()));
        }
      }
    }
  }
}
