package io.camhook.djl.pass;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.JniUtils;
import io.camhook.torchscript.TorchScriptArchive;
import io.camhook.torchscript.twin.InstrumentedArchive;
import io.camhook.torchscript.twin.TapPlan;
import java.io.IOException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A head of convolution, ReLU and global average pooling is differentiated without autograd, and
 * nothing that only looks like one.
 */
class RectifiedPassTest {
  @TempDir Path temp;

  private final TorchRun run = new TorchRun();
  private boolean gradMode;

  @BeforeEach
  void gradients() {
    gradMode = JniUtils.isGradMode();
    JniUtils.setGradMode(true);
  }

  @AfterEach
  void close() {
    JniUtils.setGradMode(gradMode);
    run.close();
  }

  /** The available forms; a clone has one. */
  static List<String> squeezenets() throws IOException {
    return ReferenceArchive.names().stream()
        .filter(name -> name.matches("squeezenet1_1[.](traced|scripted)"))
        .toList();
  }

  @ParameterizedTest
  @MethodSource("squeezenets")
  void gradient_of_squeezenet_should_be_that_of_autograd(String name) throws Exception {
    ReferenceArchive archive = ReferenceArchive.of(name);
    InstrumentedArchive instrumented =
        TorchScriptArchive.open(archive.file()).instrument(List.of("features"));
    TapPlan plan = instrumented.plan();
    assertThat(plan.averagedMethod()).isEqualTo("camhook_averaged");
    Path copy = temp.resolve("copy.pt");
    instrumented.write(copy);
    PtSymbolBlock block = run.load(copy);
    NDList one = new NDList(archive.inputs(run).get(0));
    NDArray noise = run.manager.randomNormal(new Shape(3, 3, 64, 64)).mul(2);
    for (NDList input : List.of(one, new NDList(noise))) {
      for (int target : new int[] {-1, 7}) {
        GradientPass pass = GradientPass.run(block, plan, target, input, false, run.manager);
        GradientPass other = GradientPass.run(block, plan, target, input, true, run.manager);
        assertThat(pass.classes()).isEqualTo(other.classes());
        assertThat(floats(pass.scores())).isEqualTo(floats(other.scores()));
        assertThat(floats(pass.taps().get(0))).isEqualTo(floats(other.taps().get(0)));
        assertThat(Deviation.of(floats(pass.gradients().get(0)), floats(other.gradients().get(0))))
            .isLessThan(1e-6);
        assertThat(pass.gradients().get(0).getShape()).isEqualTo(pass.taps().get(0).getShape());
      }
    }
  }

  private static float[] floats(NDArray array) {
    return TorchRun.floats((PtNDArray) array);
  }

  /** Edits of {@code squeezenet1_1.scripted}: in the class that holds the first text. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          out_channels : Final[int] = 20 | bias, [1, 1], [0, 0], [1, 1])       | bias, [1, 1], [1, 1], [1, 1])
          out_channels : Final[int] = 20 | bias, [1, 1], [0, 0], [1, 1])       | bias, [2, 2], [0, 0], [1, 1])
          out_channels : Final[int] = 20 | torch.conv2d(input, weight          | torch.conv2d(torch.relu(input), weight
          out_channels : Final[int] = 20 | torch.conv2d(input, weight          | torch.conv2d(input, torch.neg(weight)
          class SqueezeNet(Module)       | x1 = (classifier).forward(x0, )     | x1 = torch.neg((classifier).forward(x0, ))
          class SqueezeNet(Module)       | x1 = (classifier).forward(x0, )     | x1 = (classifier).forward(torch.relu_(x0), )
          class SqueezeNet(Module)       | x1 = (classifier).forward(x0, )     | x1 = torch.add((classifier).forward(x0, ), torch.mean(x0))
          class SqueezeNet(Module)       | return torch.flatten(x1, 1)         | return torch.mul(torch.flatten(x1, 1), 2)
          class SqueezeNet(Module)       | return torch.flatten(x1, 1)         | return torch.softmax(torch.flatten(x1, 1), 1)
          class SqueezeNet(Module)       | return torch.flatten(x1, 1)         | return x1
          """)
  void what_looks_alike_should_be_differentiated(String owner, String plain, String other)
      throws Exception {
    assertThat(planOf(owner, plain, plain).averagedMethod()).isNotNull();
    assertThat(planOf(owner, plain, other).averagedMethod()).isNull();
  }

  private TapPlan planOf(String owner, String plain, String other) throws Exception {
    ReferenceArchive archive = ReferenceArchive.of("squeezenet1_1.scripted");
    Path copy = temp.resolve(plain.equals(other) ? "plain.pt" : "other.pt");
    Files.copy(archive.file(), copy);
    int found = 0;
    try (FileSystem zip = FileSystems.newFileSystem(copy, Map.of("noCompression", "true"));
        Stream<Path> files = Files.walk(zip.getPath("/"))) {
      for (Path file : files.filter(f -> f.toString().endsWith(".py")).toList()) {
        String source = Files.readString(file);
        if (source.contains(owner) && source.contains(plain)) {
          Files.writeString(file, source.replace(plain, other));
          found++;
        }
      }
    }
    assertThat(found).isEqualTo(1);
    return TorchScriptArchive.open(copy).instrument(List.of("features")).plan();
  }
}
