package io.camhook.torchscript;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.camhook.naming.ModuleDescription;
import io.camhook.torchscript.archive.ArchiveException;
import io.camhook.torchscript.source.Parser;
import io.camhook.torchscript.source.Printer;
import io.camhook.torchscript.source.SourceException;
import io.camhook.torchscript.twin.HookableArchive;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Damaged archives end in one {@link ArchiveException} or in an archive, never in anything else,
 * within bounded time and memory. {@code -Pfuzz} takes 6000 inputs for each of five tests.
 */
@Timeout(value = 30, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class MutationTest {
  private static final int INPUTS = Integer.getInteger("camhook.fuzz", 600);

  /** Processor time and memory that one input of some 10 kB may take. */
  private static final long SECONDS = 5;

  private static final long BYTES = 512L << 20;

  private static final Path ONE_CONV =
      Path.of("src/test/resources/torchscript/one_conv.scripted.pt");

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

  private static byte[] archive(String source) throws IOException {
    ScriptedArchive.Module leaf = new ScriptedArchive.Module("__torch__.nets.Leaf");
    return new ScriptedArchive()
        .source("__torch__/nets.py", source)
        .bytes(new ScriptedArchive.Module("__torch__.nets.Net").with("0", leaf).with("a", leaf));
  }

  @Test
  void damaged_zip_should_be_read_or_refused() throws Exception {
    byte[] good = Files.readAllBytes(ONE_CONV);
    fuzz(seed -> open(Mutations.bytes(good, seed), "damaged.pt"));
  }

  @Test
  void damaged_pickle_should_be_read_or_refused() throws Exception {
    Map<String, byte[]> entries = entries();
    String pickle =
        entries.keySet().stream().filter(n -> n.endsWith("/data.pkl")).findFirst().orElseThrow();
    byte[] good = entries.get(pickle);
    fuzz(
        seed -> {
          Map<String, byte[]> bad = new LinkedHashMap<>(entries);
          bad.put(pickle, Mutations.bytes(good, seed));
          return open(zip(bad), "damaged.pt");
        });
  }

  @Test
  void damaged_source_should_be_instrumented_or_refused() throws Exception {
    fuzz(seed -> open(archive(Mutations.text(SOURCE, seed)), "damaged.pt"));
  }

  /**
   * Source that parses, with other names, numbers and statements: what is added to it parses too.
   */
  @Test
  void other_source_should_be_rewritten_as_source_or_refused() throws Exception {
    fuzz(
        seed -> {
          Path file = Files.write(temp.resolve("other.pt"), archive(Mutations.words(SOURCE, seed)));
          boolean good = open(Files.readAllBytes(file), "other.pt");
          if (good) {
            TorchScriptArchive.open(temp.resolve("out.pt")); // parses all that was written
          }
          return good;
        });
  }

  @Test
  void damaged_text_should_be_printed_as_it_is_parsed_or_refused() throws Exception {
    String reference =
        new String(
            entries().entrySet().stream()
                .filter(e -> e.getKey().endsWith("_3280.py"))
                .findFirst()
                .orElseThrow()
                .getValue(),
            StandardCharsets.UTF_8);
    fuzz(
        seed -> {
          try {
            String text = Mutations.text(seed % 2 == 0 ? SOURCE : reference, seed);
            String printed = Printer.print(Parser.parse("x.py", text));
            assertThat(Printer.print(Parser.parse("x.py", printed))).isEqualTo(printed);
            return true;
          } catch (SourceException e) {
            assertThat(e).hasMessageStartingWith("x.py:");
            return false;
          }
        });
  }

  @Test
  void module_that_is_not_there_should_be_named() throws Exception {
    Path file = Files.write(temp.resolve("net.pt"), archive(SOURCE));
    TorchScriptArchive archive = TorchScriptArchive.open(file);
    assertThatThrownBy(() -> archive.instrument(List.of("layer4")))
        .isInstanceOf(ArchiveException.class)
        .hasMessage("net.pt: no module 'layer4' among its 3 paths");
    assertThat(archive.modules().get(1).aliases()).containsExactly("a");
  }

  /** Whether the input of a seed was accepted; anything thrown is a failure. */
  @FunctionalInterface
  private interface Trial {
    boolean succeeds(long seed) throws Exception;
  }

  private static void fuzz(Trial trial) throws Exception {
    var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
    int good = 0;
    long slowest = 0;
    long largest = 0;
    for (long seed = 0; seed < INPUTS; seed++) {
      long time = threads.getCurrentThreadCpuTime();
      long bytes = threads.getCurrentThreadAllocatedBytes();
      try {
        good += trial.succeeds(seed) ? 1 : 0;
      } catch (Throwable e) {
        throw new AssertionError("seed " + seed + ": " + e, e);
      }
      slowest = Math.max(slowest, threads.getCurrentThreadCpuTime() - time);
      largest = Math.max(largest, threads.getCurrentThreadAllocatedBytes() - bytes);
      assertThat(slowest).as("time of seed " + seed).isLessThan(TimeUnit.SECONDS.toNanos(SECONDS));
      assertThat(largest).as("memory of seed " + seed).isLessThan(BYTES);
    }
    assertThat(good).as("some must pass, and some must not").isBetween(1, INPUTS - 1);
    if (INPUTS > 1000) {
      System.out.printf(
          "%d inputs, %d good, %d refused; at most %d ms and %d MB for one%n",
          INPUTS, good, INPUTS - good, slowest / 1_000_000, largest >> 20);
    }
  }

  private boolean open(byte[] bytes, String name) throws IOException {
    Path file = Files.write(temp.resolve(name), bytes);
    try {
      TorchScriptArchive archive = TorchScriptArchive.open(file);
      archive.auto(null);
      List<String> called =
          archive.modules().stream()
              .filter(module -> module.callSites() > 0)
              .map(ModuleDescription::path)
              .toList();
      archive.instrument(called).write(temp.resolve("out.pt"));
      archive.guided().write(temp.resolve("out.pt"));
      HookableArchive hookable = archive.hookable(called);
      archive.unhookable(hookable.hooks());
      hookable.archive().write(temp.resolve("out.pt"));
      return true;
    } catch (ArchiveException e) {
      assertThat(e).hasMessageStartingWith(name + ": ");
      return false;
    }
  }

  private static Map<String, byte[]> entries() throws IOException {
    Map<String, byte[]> entries = new LinkedHashMap<>();
    try (ZipFile zip = new ZipFile(ONE_CONV.toFile())) {
      for (ZipEntry entry : zip.stream().toList()) {
        entries.put(entry.getName(), zip.getInputStream(entry).readAllBytes());
      }
    }
    return entries;
  }

  private static byte[] zip(Map<String, byte[]> entries) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
      for (Map.Entry<String, byte[]> entry : entries.entrySet()) {
        zip.putNextEntry(new ZipEntry(entry.getKey()));
        zip.write(entry.getValue());
        zip.closeEntry();
      }
    }
    return bytes.toByteArray();
  }
}
