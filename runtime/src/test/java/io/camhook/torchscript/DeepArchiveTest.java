package io.camhook.torchscript;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.camhook.torchscript.archive.ArchiveException;
import io.camhook.torchscript.archive.PickleReader;
import java.io.ByteArrayOutputStream;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Code and data nested without end are refused in one line; long code that is not nested is read.
 */
class DeepArchiveTest {
  private static final int DEPTH = 200_000;
  private static final String NET =
      """
      class Net(Module):
        __parameters__ = []
        __buffers__ = []
        training : bool
        part : __torch__.nets.Leaf
        def forward(self: __torch__.nets.Net,
          x: Tensor) -> Tensor:
          part = self.part
          _0 = (part).forward(x, )
      """;
  private static final String LEAF =
      """
      class Leaf(Module):
        __parameters__ = []
        __buffers__ = []
        training : bool
        def forward(self: __torch__.nets.Leaf,
          x: Tensor) -> Tensor:
          return torch.relu(x)
      """;

  @TempDir Path temp;

  private TorchScriptArchive net(String body) throws Exception {
    byte[] bytes =
        new ScriptedArchive()
            .source("__torch__/nets.py", LEAF + NET + body)
            .bytes(
                new ScriptedArchive.Module("__torch__.nets.Net")
                    .with("part", new ScriptedArchive.Module("__torch__.nets.Leaf")));
    return TorchScriptArchive.open(Files.write(temp.resolve("net.pt"), bytes));
  }

  @Test
  void nested_expression_should_be_refused_in_one_line() {
    String nested = "torch.neg(".repeat(DEPTH) + "_0" + ")".repeat(DEPTH);
    assertThatThrownBy(() -> net("    return " + nested + "\n").instrument(List.of("part")))
        .isInstanceOf(ArchiveException.class)
        .hasMessage(
            "net.pt: source that camhook's parser does not know:"
                + " code/__torch__/nets.py:17:1002: nested deeper than 200 levels");
  }

  @Test
  void long_chain_of_statements_should_be_instrumented() throws Exception {
    StringBuilder chain = new StringBuilder();
    int length = 2_000;
    for (int i = 0; i < length; i++) {
      chain.append("    _%d = torch.neg(_%d)\n".formatted(i + 1, i));
    }
    TorchScriptArchive archive = net(chain + "    return _" + length + "\n");
    Path copy = temp.resolve("copy.pt");
    archive.instrument(List.of("part")).write(copy);
    assertThat(TorchScriptArchive.open(copy).modules()).hasSize(2);
  }

  /** Four times the statements: four times the time; a quadratic walk would take sixteen times. */
  @Test
  void long_chains_should_take_time_in_proportion() throws Exception {
    for (String operator : List.of("torch.neg(_%d)", "torch.relu_(_%d)", "torch.view(_%d, [1])")) {
      nanosOfChain(operator, 5_000); // compiles
      double few = Math.min(nanosOfChain(operator, 5_000), nanosOfChain(operator, 5_000));
      double many = Math.min(nanosOfChain(operator, 20_000), nanosOfChain(operator, 20_000));
      assertThat(many / few).as(operator).isLessThan(9);
    }
  }

  /** Processor time of this thread. */
  private long nanosOfChain(String operator, int length) throws Exception {
    StringBuilder chain = new StringBuilder();
    for (int i = 0; i < length; i++) {
      chain.append("    _%d = %s\n".formatted(i + 1, operator.formatted(i)));
    }
    ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    long begin = threads.getCurrentThreadCpuTime();
    net(chain + "    return _" + length + "\n").instrument(List.of("part"));
    return threads.getCurrentThreadCpuTime() - begin;
  }

  /** {@code [[[…]]]}: read without recursion. */
  @Test
  void nested_pickle_should_be_read() throws Exception {
    ByteArrayOutputStream pickle = new ByteArrayOutputStream();
    pickle.write(new byte[] {(byte) 0x80, 2});
    pickle.write("]".repeat(DEPTH).getBytes(StandardCharsets.US_ASCII));
    pickle.write("a".repeat(DEPTH - 1).getBytes(StandardCharsets.US_ASCII));
    pickle.write('.');
    assertThat(PickleReader.read("deep.pkl", pickle.toByteArray())).isInstanceOf(List.class);
  }

  /** Each value holds the one before twice: hashing it by content would take 2^60 steps. */
  @Test
  void container_as_key_should_be_refused() throws Exception {
    ByteArrayOutputStream pickle = new ByteArrayOutputStream();
    pickle.write(new byte[] {(byte) 0x80, 2, '}', ')', 'q', 0});
    for (int i = 0; i < 60; i++) {
      pickle.write(new byte[] {'h', (byte) i, (byte) 0x86, 'q', (byte) (i + 1)});
    }
    pickle.write(new byte[] {'Q', 'K', 1, 's', '.'});
    assertThatThrownBy(() -> PickleReader.read("keys.pkl", pickle.toByteArray()))
        .isInstanceOf(ArchiveException.class)
        .hasMessageContaining("a container as dict key");
  }
}
