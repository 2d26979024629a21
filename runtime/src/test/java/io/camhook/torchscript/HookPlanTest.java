package io.camhook.torchscript;

import static org.assertj.core.api.Assertions.assertThat;

import io.camhook.torchscript.twin.HookPlan;
import io.camhook.torchscript.twin.HookPlan.Argument;
import io.camhook.torchscript.twin.HookPlan.Element;
import io.camhook.torchscript.twin.HookPlan.Record;
import io.camhook.torchscript.twin.HookPlan.Site;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class HookPlanTest {
  private static final Path GAP_LINEAR =
      Path.of("src/test/resources/torchscript/gap_linear.traced.pt");

  @Test
  void labels_should_be_records_in_the_order_of_the_run() {
    HookPlan plan = new HookPlan("a", "b", null, List.of(), Map.of());
    // the outer call 12 gets a tensor, a tuple and what the inner call 3 returns, and returns a
    // dict
    String labels = "12>0\n12>1!\n12>1.0\n12>1.1\n3>0\n3\n12>2\n12!\n12.out\n12.aux.0";
    assertThat(plan.records(labels))
        .containsExactly(
            new Record(12, 0, List.of(new Element("", 0))),
            new Record(12, 1, List.of(new Element("0", 1), new Element("1", 2))),
            new Record(3, 0, List.of(new Element("", 3))),
            new Record(3, -1, List.of(new Element("", 4))),
            new Record(12, 2, List.of(new Element("", 5))),
            new Record(12, -1, List.of(new Element("out", 6), new Element("aux.0", 7))));
    assertThat(plan.records("")).isEmpty();
  }

  @Test
  void call_that_returns_an_empty_list_should_be_a_record_without_elements() {
    HookPlan plan = new HookPlan("a", "b", null, List.of(), Map.of());
    assertThat(plan.records("0!\n1"))
        .containsExactly(
            new Record(0, -1, List.of()), new Record(1, -1, List.of(new Element("", 0))));
  }

  @Test
  void sites_should_be_every_call_and_say_which_inputs_keep_their_place_in_the_graph()
      throws Exception {
    HookPlan plan = TorchScriptArchive.open(GAP_LINEAR).hookable(List.of()).hooks();
    assertThat(plan.sites())
        .hasSize(12)
        .startsWith(new Site("features.0", 0, List.of(new Argument(0, true))))
        // ReLUs that work in place
        .contains(
            new Site("features.1", 0, List.of(new Argument(0, false))),
            new Site("features.4", 0, List.of(new Argument(0, false))),
            new Site("features.7", 0, List.of(new Argument(0, false))))
        .endsWith(new Site("fc", 0, List.of(new Argument(0, true))));
    assertThat(plan.wanted()).hasSize(24).containsOnly(0);
    assertThat(plan.silent()).isEmpty();
  }
}
