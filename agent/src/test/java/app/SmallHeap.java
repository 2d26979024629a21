package app;

import ai.djl.Model;
import ai.djl.inference.Predictor;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.LambdaBlock;
import ai.djl.nn.SequentialBlock;
import ai.djl.translate.NoopTranslator;
import app.nn.Layer;
import app.nn.Scale;
import app.nn.Stack;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Five thousand requests from eight threads to networks whose layer returns 400 kB; prints a sum
 * over all results, and how many threads ended early. The argument is {@code plain} for a network
 * of arrays or {@code djl}.
 */
public final class SmallHeap {
  private static final int THREADS = 8;
  private static final int REQUESTS = 5000;
  private static final int FLOATS = 100_000;

  private static final int[] DIGESTS = new int[REQUESTS];
  private static final AtomicInteger ENDED_EARLY = new AtomicInteger();

  private SmallHeap() {}

  /** Handles a request. */
  private interface Network extends AutoCloseable {
    float[] answer(float[] input) throws Exception;

    @Override
    default void close() {}
  }

  public static void main(String[] args) throws Exception {
    Thread[] threads = new Thread[THREADS];
    for (int t = 0; t < THREADS; t++) {
      int first = t;
      threads[t] = new Thread(() -> serve(args[0], first));
      threads[t].setUncaughtExceptionHandler(
          (thread, e) -> {
            ENDED_EARLY.incrementAndGet();
            System.out.println("thrown " + e);
          });
      threads[t].start();
    }
    for (Thread thread : threads) {
      thread.join();
    }
    System.out.println("ended early " + ENDED_EARLY);
    System.out.println("answers " + Arrays.hashCode(DIGESTS));
  }

  private static void serve(String kind, int first) {
    try (Network network = kind.equals("plain") ? plain() : new Blocks()) {
      for (int i = first; i < REQUESTS; i += THREADS) {
        float[] input = new float[FLOATS];
        Arrays.fill(input, i);
        input[i] = -1;
        DIGESTS[i] = Arrays.hashCode(network.answer(input));
      }
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  private static Network plain() {
    return new Stack(new Scale(3), new Sums())::forward;
  }

  /** Ten sums of its input. */
  private static final class Sums implements Layer {
    @Override
    public float[] forward(float[] x) {
      float[] sums = new float[10];
      for (int i = 0; i < x.length; i++) {
        sums[i % sums.length] += x[i];
      }
      return sums;
    }

    @Override
    public float[] backward(float[] gradOutput) {
      throw new UnsupportedOperationException();
    }
  }

  private static final class Blocks implements Network {
    private final Model model = Model.newInstance("net", "PyTorch");
    private final Predictor<NDList, NDList> predictor;

    Blocks() {
      model.setBlock(
          new SequentialBlock()
              .add(new LambdaBlock(list -> new NDList(list.head().mul(3)), "Scale"))
              .add(new LambdaBlock(list -> new NDList(sums(list.head())), "Sums")));
      predictor = model.newPredictor(new NoopTranslator(null));
    }

    private static NDArray sums(NDArray x) {
      return x.reshape(FLOATS / 10, 10).sum(new int[] {0}, true);
    }

    @Override
    public float[] answer(float[] input) throws Exception {
      try (NDManager manager = NDManager.newBaseManager("PyTorch")) {
        NDList output = predictor.predict(new NDList(manager.create(input, new Shape(1, FLOATS))));
        output.attach(manager);
        return output.head().toFloatArray();
      }
    }

    @Override
    public void close() {
      predictor.close();
      model.close();
    }
  }
}
