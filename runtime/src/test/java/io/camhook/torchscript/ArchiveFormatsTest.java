package io.camhook.torchscript;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.camhook.naming.ModuleDescription;
import io.camhook.torchscript.archive.ArchiveException;
import io.camhook.torchscript.source.Parser;
import io.camhook.torchscript.source.Printer;
import io.camhook.torchscript.source.SourceException;
import io.camhook.torchscript.twin.TapPlan;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Parts of the format that no reference archive has, as written by torch's python_print.cpp. */
class ArchiveFormatsTest {
  private static final Path ONE_CONV =
      Path.of("src/test/resources/torchscript/one_conv.scripted.pt");

  private static final Path ARCHIVES = Path.of("src/test/resources/torchscript");

  @TempDir Path temp;

  @ParameterizedTest
  @ValueSource(
      strings = {
        // an interface
        """
        class Part(ModuleInterface):
          def forward(self, x: Tensor) -> Tensor:
            pass
        """,
        // an enum, with values of each type it may have
        """
        class Colour(Enum):
          RED = 1
          GREEN = "green"
          BLUE = 0.5
        """,
        // with, with and without a target
        """
        def f(x: Tensor) -> Tensor:
          _0 = __torch__.torch.autograd.grad_mode.no_grad.__new__(__torch__.torch.autograd.grad_mode.no_grad)
          with _0:
            y = torch.mul(x, 2)
          with __torch__.ctx.Scope.__new__(__torch__.ctx.Scope) as scope:
            z = torch.add(y, scope)
          return z
        """,
        // a NamedTuple with defaults, a free function, type comments
        """
        class Box(NamedTuple):
          corner : Tensor
          size : Tuple[int, int]
          label : Optional[str]
        def area(box: __torch__.nets.Box,
            scale: float=1.) -> float:
          corner, size, label, = box
          h, w, = size
          return torch.mul(float(torch.mul(h, w)), scale)
        """,
        // attributes of torch 1.x: no _is_full_backward_hook, numbered children, nested calls
        """
        op_version_set = 1
        class Sequential(Module):
          __parameters__ = ["weight", ]
          __buffers__ = ["running_mean", ]
          weight : Tensor
          running_mean : Tensor
          training : bool
          __annotations__["0"] = __torch__.torch.nn.modules.conv.Conv2d
          def forward(self: __torch__.torch.nn.modules.container.Sequential,
            input: Tensor) -> Tensor:
            _0 = getattr(self, "0")
            _1, _2, = _0.weight, self.running_mean
            return torch.relu_((_0).forward(input, ))
        """,
        // loops and branches
        """
        def f(x: Tensor,
            n: int) -> List[Tensor]:
          out = annotate(List[Tensor], [])
          i = 0
          _0 = torch.lt(i, n)
          while _0:
            if torch.gt(i, 3):
              y : Optional[Tensor] = None
            else:
              y = x
            if torch.__isnot__(y, None):
              y0 = unchecked_cast(Tensor, y)
              _1 = torch.append(out, y0)
            else:
              pass
            i = torch.add(i, 1)
            _0 = torch.lt(i, n)
          return out
        """
      })
  void printer_should_write_what_was_parsed(String source) throws Exception {
    assertThat(Printer.print(Parser.parse("x.py", source))).isEqualTo(source);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "def f(if: Tensor) -> Tensor:\n  return x\n",
        "def while(x: Tensor) -> Tensor:\n  return x\n",
        "class is(Module):\n  training : bool\n",
      })
  void keyword_should_be_no_name(String source) {
    assertThatThrownBy(() -> Parser.parse("x.py", source))
        .isInstanceOf(SourceException.class)
        .hasMessageMatching("(?s)x.py.*expected a (parameter|function|class) name, found '.*");
  }

  static List<Path> olderArchives() throws IOException {
    List<Path> archives = new ArrayList<>();
    for (String folder : List.of("old", "features")) {
      try (Stream<Path> files = Files.list(ARCHIVES.resolve(folder))) {
        files.filter(file -> file.toString().endsWith(".pt")).sorted().forEach(archives::add);
      }
    }
    return archives;
  }

  @ParameterizedTest
  @MethodSource("olderArchives")
  void sources_of_older_torch_should_be_printed_as_they_are(Path archive) throws Exception {
    try (ZipFile zip = new ZipFile(archive.toFile())) {
      List<? extends ZipEntry> sources =
          zip.stream().filter(entry -> entry.getName().endsWith(".py")).toList();
      assertThat(sources).isNotEmpty();
      for (ZipEntry source : sources) {
        String text = new String(zip.getInputStream(source).readAllBytes(), StandardCharsets.UTF_8);
        assertThat(Printer.print(Parser.parse(source.getName(), text)))
            .as(source.getName())
            .isEqualTo(text);
      }
    }
  }

  @Test
  void zip64_archive_should_be_read_and_copied() throws Exception {
    byte[] plain = Files.readAllBytes(ONE_CONV);
    Path wide = Files.write(temp.resolve("wide.pt"), zip64(plain));
    TorchScriptArchive archive = TorchScriptArchive.open(wide);
    assertThat(archive.modules()).isEqualTo(TorchScriptArchive.open(ONE_CONV).modules());
    Path copy = temp.resolve("copy.pt");
    archive.instrument(List.of("conv1")).write(copy);
    assertThat(TorchScriptArchive.open(copy).modules()).isEqualTo(archive.modules());
  }

  @Test
  void code_of_many_files_that_would_not_fit_in_memory_should_be_refused_unread() throws Exception {
    Path bomb = temp.resolve("bomb.pt");
    String line = "x = [1, 1, 1, 1]\n";
    String nine = line.repeat(9 * (1 << 20) / line.length()); // 9 MiB, and 16 are accepted
    new ScriptedArchive()
        .source("__torch__/a.py", nine)
        .source("__torch__/b.py", nine)
        .write(bomb, new ScriptedArchive.Module("__torch__.Net"));
    assertThatThrownBy(() -> TorchScriptArchive.open(bomb))
        .isInstanceOf(ArchiveException.class)
        .hasMessage(
            "bomb.pt: code declares %d bytes; at most 16777216 are accepted", 2 * nine.length());
  }

  @Test
  void archive_of_the_first_torch_versions_should_be_refused() throws Exception {
    Path old = temp.resolve("old.pt");
    new ScriptedArchive()
        .source("nets.py", "op_version_set = 0\n")
        .file("model.json", "{}")
        .write(old, new ScriptedArchive.Module("__torch__.Net"));
    assertThatThrownBy(() -> TorchScriptArchive.open(old))
        .isInstanceOf(ArchiveException.class)
        .hasMessageStartingWith("old.pt: was saved by torch 1.3 or older")
        .hasMessageContaining("save it again");
  }

  @Test
  void module_that_a_branch_picks_should_be_a_notice_and_keep_its_other_calls() throws Exception {
    String head = "  __parameters__ = []\n  __buffers__ = []\n  training : bool\n";
    String part =
        head
            + """
              def forward(self: __torch__.nets.Part,
                x: Tensor) -> Tensor:
                return torch.neg(x)
            """;
    String net =
        head
            + """
              a : __torch__.nets.Part
              b : __torch__.nets.Part
              def forward(self: __torch__.nets.Net,
                x: Tensor) -> Tensor:
                y = (self.a).forward(x, )
                if bool(torch.gt(torch.sum(y), 0)):
                  m = self.a
                else:
                  m = self.b
                return (m).forward(y, )
            """;
    Path file = temp.resolve("branch.pt");
    new ScriptedArchive()
        .source("__torch__/nets.py", "class Part(Module):\n" + part + "class Net(Module):\n" + net)
        .write(
            file,
            new ScriptedArchive.Module("__torch__.nets.Net")
                .with("a", new ScriptedArchive.Module("__torch__.nets.Part"))
                .with("b", new ScriptedArchive.Module("__torch__.nets.Part")));
    TorchScriptArchive archive = TorchScriptArchive.open(file);
    TapPlan plan = archive.instrument(List.of("a", "b")).plan();
    assertThat(plan.notices())
        .containsExactlyInAnyOrder(
            "a: which module is called depends on a branch; not recorded there",
            "b: which module is called depends on a branch; not recorded there");
    assertThat(plan.taps()).extracting(TapPlan.Tap::path).containsExactly("a");
    assertThat(archive.modules()).extracting(ModuleDescription::callSites).containsExactly(1, 2, 1);
  }

  /** The same entries, with every size and offset in a zip64 extra field and a zip64 end record. */
  private static byte[] zip64(byte[] zip) throws IOException {
    ByteBuffer in = ByteBuffer.wrap(zip).order(ByteOrder.LITTLE_ENDIAN);
    int end = zip.length - 22;
    while (in.getInt(end) != 0x06054b50) {
      end--;
    }
    int count = in.getShort(end + 10) & 0xffff;
    int start = in.getInt(end + 16);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.write(zip, 0, start);
    int at = start;
    for (int i = 0; i < count; i++) {
      int name = in.getShort(at + 28) & 0xffff;
      int extra = in.getShort(at + 30) & 0xffff;
      int comment = in.getShort(at + 32) & 0xffff;
      ByteBuffer entry = ByteBuffer.allocate(46 + name + 28).order(ByteOrder.LITTLE_ENDIAN);
      entry.put(zip, at, 46 + name);
      entry.putShort((short) 1).putShort((short) 24);
      entry.putLong(in.getInt(at + 24)).putLong(in.getInt(at + 20)).putLong(in.getInt(at + 42));
      entry.putInt(20, -1).putInt(24, -1).putInt(42, -1);
      entry.putShort(30, (short) 28).putShort(32, (short) 0);
      out.write(entry.array());
      at += 46 + name + extra + comment;
    }
    long length = out.size() - (long) start;
    ByteBuffer tail = ByteBuffer.allocate(56 + 20 + 22).order(ByteOrder.LITTLE_ENDIAN);
    tail.putInt(0x06064b50).putLong(44).putShort((short) 45).putShort((short) 45);
    tail.putInt(0).putInt(0).putLong(count).putLong(count).putLong(length).putLong(start);
    tail.putInt(0x07064b50).putInt(0).putLong(out.size()).putInt(1);
    tail.putInt(0x06054b50).putInt(0).putShort((short) -1).putShort((short) -1);
    tail.putInt(-1).putInt(-1).putShort((short) 0);
    out.write(tail.array());
    return out.toByteArray();
  }
}
