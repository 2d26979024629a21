package io.camhook.torchscript;

import static org.assertj.core.api.Assertions.assertThat;

import io.camhook.torchscript.twin.TapPlan;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which modules have methods that replace their result. */
class ResumeWriterTest {
  private static final String SOURCE =
      """
      class Part(Module):
        __parameters__ = []
        __buffers__ = []
        training : bool
        def forward(self: __torch__.nets.Part,
          x: Tensor) -> Tensor:
          return torch.add(x, 1.)
      class Net(Module):
        __parameters__ = []
        __buffers__ = []
        training : bool
        first : __torch__.nets.Part
        again : __torch__.nets.Part
        each : __torch__.nets.Part
        branch : __torch__.nets.Part
        around : __torch__.nets.Part
        last : __torch__.nets.Part
        def forward(self: __torch__.nets.Net,
          x: Tensor) -> Tensor:
          first = self.first
          y = (first).forward(x, )
          for _0 in range(3):
            again = self.again
            y = (again).forward(y, )
          each = self.each
          parts = [(each).forward(part, ) for part in torch.split(y, 1)]
          y0 = torch.cat(parts)
          if bool(torch.gt(torch.mean(y0), 0)):
            branch = self.branch
            y1 = (branch).forward(y0, )
          else:
            y1 = y0
          around = self.around
          y2 = torch.add(y1, (around).forward(y1, ))
          last = self.last
          return (last).forward(y2, )
      """;

  @TempDir Path temp;

  @Test
  void module_that_may_run_several_times_should_not_be_replaced() throws Exception {
    ScriptedArchive.Module net = new ScriptedArchive.Module("__torch__.nets.Net");
    List<String> paths = List.of("first", "again", "each", "branch", "around", "last");
    for (String path : paths) {
      net = net.with(path, new ScriptedArchive.Module("__torch__.nets.Part"));
    }
    Path file =
        new ScriptedArchive()
            .source("__torch__/nets.py", SOURCE)
            .write(temp.resolve("net.pt"), net);
    TapPlan plan = TorchScriptArchive.open(file).instrument(paths).plan();

    assertThat(plan.resumeMethods()).containsOnlyKeys("first", "last");
    // In a branch, and with data that bypasses the module, the whole model runs.
    assertThat(plan.replaceMethods()).containsOnlyKeys("branch", "around");
  }
}
