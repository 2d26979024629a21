package io.camhook.torchscript;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Damaged archives end in one {@link ArchiveException} or in an archive, never in anything else.
 * The number of inputs is {@code -Dcamhook.fuzz}, 600 by default.
 */
class MutationTest {
  private static final int INPUTS = Integer.getInteger("camhook.fuzz", 600);

  @TempDir Path temp;

  static final String SOURCE =
      """
      class Leaf(Module):
        __parameters__ = []
        __buffers__ = []
        training : bool
        def forward(self: __torch__.nets.Leaf,
          x: Tensor) -> Tensor:
          return torch.relu(x)
      class Net(Module):
        __parameters__ = []
        __buffers__ = []
        training : bool
        __annotations__["0"] = __torch__.nets.Leaf
        a : __torch__.nets.Leaf
        def forward(self: __torch__.nets.Net,
          x: Tensor) -> Tuple[Tensor, Optional[Tensor]]:
          a = self.a
          _0 = getattr(self, "0")
          for i in range(2):
            x = (a).forward((_0).forward(x, ), )
          if bool(torch.gt(torch.mean(x), 0.)):
            y : Optional[Tensor] = x
          else:
            y = None
          return (x, y)
      """;

  static byte[] archive() throws IOException {
    ScriptedArchive.Module leaf = new ScriptedArchive.Module("__torch__.nets.Leaf");
    return new ScriptedArchive()
        .source("__torch__/nets.py", SOURCE)
        .bytes(new ScriptedArchive.Module("__torch__.nets.Net").with("0", leaf).with("a", leaf));
  }

  @Test
  void damaged_archive_should_give_one_clear_error() throws Exception {
    byte[] good = archive();
    Path file = temp.resolve("damaged.pt");
    Random random = new Random(4);
    for (int i = 0; i < INPUTS; i++) {
      byte[] bad = mutate(good, random);
      Files.write(file, bad);
      try {
        TorchScriptArchive.open(file).instrument(List.of("0")).write(temp.resolve("out.pt"));
      } catch (ArchiveException e) {
        assertThat(e).hasMessageStartingWith("damaged.pt: ");
      }
    }
  }

  @Test
  void damaged_source_should_be_parsed_or_refused() {
    Random random = new Random(5);
    for (int i = 0; i < INPUTS; i++) {
      String text = new String(mutate(SOURCE.getBytes(), random));
      try {
        String printed = Printer.print(Parser.parse("x.py", text));
        assertThat(Printer.print(Parser.parse("x.py", printed))).isEqualTo(printed);
      } catch (SourceException e) {
        assertThat(e).hasMessageStartingWith("x.py:");
      }
    }
  }

  @Test
  void damaged_pickle_should_be_read_or_refused() throws Exception {
    Random random = new Random(6);
    byte[] good = new byte[200];
    for (int i = 0; i < INPUTS; i++) {
      random.nextBytes(good);
      good[0] = (byte) 0x80;
      good[1] = 2;
      try {
        PickleReader.read("x: data.pkl", good);
      } catch (ArchiveException e) {
        assertThat(e).hasMessageStartingWith("x: data.pkl");
      }
    }
  }

  @Test
  void module_that_is_not_there_should_be_named() throws Exception {
    Path file = Files.write(temp.resolve("net.pt"), archive());
    TorchScriptArchive archive = TorchScriptArchive.open(file);
    assertThatThrownBy(() -> archive.instrument(List.of("layer4")))
        .isInstanceOf(ArchiveException.class)
        .hasMessage("net.pt: no module 'layer4' among its 3 paths");
    assertThat(archive.modules().get(1).aliases()).containsExactly("a");
  }

  private static byte[] mutate(byte[] good, Random random) {
    byte[] bad = good.clone();
    int changes = 1 + random.nextInt(4);
    for (int i = 0; i < changes; i++) {
      bad[random.nextInt(bad.length)] = (byte) random.nextInt(256);
    }
    return random.nextInt(4) == 0 ? java.util.Arrays.copyOf(bad, random.nextInt(bad.length)) : bad;
  }
}
