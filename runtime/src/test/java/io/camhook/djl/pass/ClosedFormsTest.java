package io.camhook.djl.pass;

import static org.assertj.core.api.Assertions.assertThat;

import io.camhook.torchscript.TorchScriptArchive;
import io.camhook.torchscript.flow.AutoLayer;
import io.camhook.torchscript.twin.TapPlan;
import java.nio.file.Files;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The models of the reference set for which docs/performance.md promises a closed form at auto. */
class ClosedFormsTest {
  private static final String LINEAR =
      """
      attributes.traced stages.2nd act
      conv1d.frozen relu#2
      conv1d.scripted features
      conv1d.traced features
      conv3d.frozen relu#2
      conv3d.scripted features
      conv3d.traced features
      densenet.frozen relu#20
      gap_linear.frozen relu#2
      gap_linear.scripted features
      gap_linear.traced features
      mobilenet_v2.scripted features
      mobilenet_v2.traced features
      multi_input.frozen relu#2
      non_contiguous.frozen relu#1
      resnet_basic.scripted layer4
      resnet_basic.traced layer4
      resnet_bottleneck.scripted layer4
      resnet_bottleneck.traced layer4
      resnet_inlined.frozen relu#8
      resnet_inlined.frozen_traced relu#8
      resnet_inlined.inlined relu#8
      resnet_inlined.scripted layer4
      resnet_inlined.traced layer4
      shared_module.frozen tanh#1
      shared_module.inlined_traced tanh#1
      shared_module.scripted tanh
      shufflenet_v2.scripted conv5
      shufflenet_v2.traced conv5
      swin.frozen permute#17
      """;

  private static final String CONVOLUTION =
      """
      squeezenet1_1.scripted features
      squeezenet1_1.traced features
      """;

  @Test
  void closed_forms_should_be_found_where_the_page_says_it() throws Exception {
    Set<String> linear = new TreeSet<>();
    Set<String> convolution = new TreeSet<>();
    for (String name :
        Stream.concat(ReferenceArchive.names().stream(), ReferenceArchive.flat().stream())
            .toList()) {
      TorchScriptArchive archive =
          TorchScriptArchive.open(ReferenceArchive.FOLDER.resolve(name + ".pt"));
      String last = archive.auto(null).map(AutoLayer::path).orElse(".");
      String auto = name.startsWith("squeezenet") ? "features" : last; // the class maps are spatial
      TapPlan plan = archive.instrument(Set.of(auto)).plan();
      if (plan.averagedMethod() != null) {
        (plan.averagedWeight() == null ? convolution : linear).add(name + " " + auto);
      }
    }
    assertThat(linear).as("average, linear").containsExactlyElementsOf(there(LINEAR));
    assertThat(convolution)
        .as("convolution, ReLU, average")
        .containsExactlyElementsOf(there(CONVOLUTION));
  }

  /** The models of a list whose archives this clone has. */
  private static List<String> there(String list) {
    return list.lines()
        .filter(line -> Files.exists(ReferenceArchive.FOLDER.resolve(line.split(" ")[0] + ".pt")))
        .toList();
  }
}
