package io.camhook.djl.pass;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every module call of every reference archive against what PyTorch 2.13 saw there. Of the archives
 * above a megabyte the normal run takes one form each, {@code -Parchives} all.
 */
class ReferenceArchivesTest {
  private static final boolean ALL = System.getProperty("camhook.archives", "").equals("all");

  /**
   * One form of each of these is left to {@code -Parchives}: same modules, a second's compiling.
   */
  private static final Set<String> SECOND_FORMS =
      Set.of(
          "mobilenet_v2.scripted",
          "mobilenet_v3_small.traced",
          "resnet_basic.scripted",
          "resnet_bottleneck.traced",
          "shufflenet_v2.scripted",
          "squeezenet1_1.traced",
          "swin.scripted");

  /**
   * Cases in which the engine itself picks another kernel when gradients are on: fused attention
   * (vit as scripted) and oneDNN's LSTM and GRU without. Then the sampled request's logits are
   * close only.
   */
  private static final Set<String> OTHER_KERNEL =
      Set.of("vit.scripted", "recurrent.scripted", "recurrent.traced");

  private static final List<ArchiveProof.Row> ROWS = new ArrayList<>();

  @TempDir Path temp;

  static List<String> archives() throws IOException {
    return ReferenceArchive.names().stream()
        .filter(name -> ALL || !SECOND_FORMS.contains(name))
        .toList();
  }

  @ParameterizedTest
  @MethodSource("archives")
  void activation_and_gradient_should_be_those_of_pytorch(String name) throws Exception {
    prove(name);
  }

  private void prove(String name) throws Exception {
    ArchiveProof.Row row = ArchiveProof.of(name, temp);
    ROWS.add(row);
    assertThat(row.identical() || OTHER_KERNEL.contains(name))
        .as(name + ": logits of the sampled request are bit-identical")
        .isTrue();
  }

  @AfterAll
  static void print() {
    if (ALL) {
      System.out.println(ArchiveProof.Row.HEADER);
      ROWS.sort(Comparator.comparing(ArchiveProof.Row::archive));
      ROWS.forEach(System.out::println);
    }
  }
}
