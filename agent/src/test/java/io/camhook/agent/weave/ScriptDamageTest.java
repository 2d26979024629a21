package io.camhook.agent.weave;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.MalformedModelException;
import ai.djl.Model;
import ai.djl.inference.Predictor;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.engine.PtSymbolBlock;
import io.camhook.config.CamhookConfig;
import io.camhook.config.CamhookConfig.Target;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.Enumeration;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Archives that camhook cannot read: the application's own load behaves as without it. */
class ScriptDamageTest {
  private static final Path GAP_LINEAR =
      Path.of("../runtime/src/test/resources/torchscript/gap_linear.traced.pt");

  private enum Damage {
    EMPTY(
        "truncated, empty, no zip",
        "no end-of-directory record: the file is not a zip, or it is truncated"),
    NO_ZIP(
        "truncated, empty, no zip",
        "no end-of-directory record: the file is not a zip, or it is truncated"),
    HALF(
        "truncated, empty, no zip",
        "no end-of-directory record: the file is not a zip, or it is truncated"),
    WITHOUT_ITS_END(
        "truncated, empty, no zip",
        "no end-of-directory record: the file is not a zip, or it is truncated"),
    BOMB("zip bomb", "bytes; at most 16777216 are accepted"),
    ESCAPING_NAME(
        "names that point outside", "entry name '../../escaped.txt' points outside of the archive"),
    GARBAGE_PICKLE(
        "a pickle that torch did not write",
        "data.pkl: opcode 0xbf is not one that torch.jit.save writes; rejected"),
    PICKLE_THAT_CALLS(
        "a pickle that torch did not write",
        "data.pkl: opcode 0x53 is not one that torch.jit.save writes; rejected"),
    UNKNOWN_SOURCE(
        "source that is no TorchScript",
        "source that camhook's parser does not know: code/__torch__/odd.py:2:7: expected an"
            + " expression"),
    FLIPPED_SOURCE("bytes changed", "is damaged: size or CRC differ from the directory");

    final String row;
    final String message;

    Damage(String row, String message) {
      this.row = row;
      this.message = message;
    }

    byte[] apply() throws IOException {
      byte[] good = Files.readAllBytes(GAP_LINEAR);
      Map<String, byte[]> entries = entries();
      String folder = entries.keySet().iterator().next().split("/")[0] + "/";
      switch (this) {
        case EMPTY:
          return new byte[0];
        case NO_ZIP:
          return "<html>404</html>".repeat(100).getBytes(StandardCharsets.UTF_8);
        case HALF:
          return Arrays.copyOf(good, good.length / 2);
        case WITHOUT_ITS_END:
          return Arrays.copyOf(good, good.length - 30);
        case BOMB:
          entries.put(folder + "code/__torch__/bomb.py", new byte[65 << 20]);
          return zip(entries);
        case ESCAPING_NAME:
          entries.put("../../escaped.txt", new byte[] {1});
          return zip(entries);
        case GARBAGE_PICKLE:
          byte[] noise = new byte[500];
          new Random(5).nextBytes(noise);
          entries.put(folder + "data.pkl", noise);
          return zip(entries);
        case PICKLE_THAT_CALLS:
          entries.put(
              folder + "data.pkl", "cos\nsystem\n(S'true'\ntR.".getBytes(StandardCharsets.UTF_8));
          return zip(entries);
        case UNKNOWN_SOURCE:
          entries.put(
              folder + "code/__torch__/odd.py",
              "class A(Module):\n  f = lambda x: x\n".getBytes(StandardCharsets.UTF_8));
          return zip(entries);
        case FLIPPED_SOURCE:
          byte[] flipped = stored(entries);
          int at = new String(flipped, StandardCharsets.ISO_8859_1).indexOf("def forward");
          flipped[at] ^= 1; // its checksum is wrong now
          return flipped;
        default:
          throw new IllegalStateException();
      }
    }
  }

  @TempDir static Path directory;

  private static final Map<Damage, Path> FILES = new EnumMap<>(Damage.class);

  @BeforeAll
  static void damage() throws IOException {
    for (Damage damage : Damage.values()) {
      Path folder = Files.createDirectory(directory.resolve(damage.name()));
      FILES.put(damage, Files.write(folder.resolve("damaged.pt"), damage.apply()));
    }
  }

  @ParameterizedTest
  @EnumSource(ScriptLoading.class)
  void damaged_archive_should_load_as_without_camhook(ScriptLoading loading) throws Exception {
    Map<Damage, String> plain = new EnumMap<>(Damage.class);
    for (Damage damage : Damage.values()) {
      plain.put(damage, outcome(loading, FILES.get(damage)));
    }
    try (WovenDjl djl = new WovenDjl(WovenDjl.capturing(Target.TOP1, "features"))) {
      for (Damage damage : Damage.values()) {
        djl.messages.clear();
        assertThat(outcome(loading, FILES.get(damage)))
            .as(damage.name())
            .isEqualTo(plain.get(damage));
        assertThat(djl.messages).as(damage.name()).hasSize(1);
        String name = loading == ScriptLoading.PATH ? "damaged.pt: " : "net.pt: ";
        assertThat(djl.messages.get(0))
            .startsWith("model is loaded without hooks: " + name)
            .contains(damage.message);
        RefusalTable.assertSays(damage.row, djl.messages);
      }
      assertThat(djl.failures).isEmpty();
      assertThat(djl.captured()).allMatch(capture -> capture.layers().isEmpty());
    }
  }

  @Test
  void stream_that_ends_before_its_size_should_load_as_without_camhook() throws Exception {
    byte[] archive = Files.readAllBytes(GAP_LINEAR);
    byte[] cut = ScriptLoading.parameters(1, archive.length + 1000, archive);
    String plain = parametersOutcome(cut);
    try (WovenDjl djl = new WovenDjl(WovenDjl.capturing(Target.TOP1, "features"))) {
      assertThat(parametersOutcome(cut)).isEqualTo(plain);
      assertThat(djl.messages)
          .containsExactly(
              "model is loaded without hooks: the stream of net.pt ends 1000 bytes before its"
                  + " size");
      RefusalTable.assertSays("a stream shorter than it says", djl.messages);
    }
  }

  @Test
  void stream_that_cannot_be_kept_should_load_as_without_camhook() throws Exception {
    String name = "n".repeat(300); // an invalid file name
    byte[] archive = Files.readAllBytes(GAP_LINEAR);
    CamhookConfig.Model entry =
        new CamhookConfig.Model(
            "n*", List.of("features"), Set.of(), Target.TOP1, null, List.of(), null);
    String plain;
    try (Model model = Model.newInstance(name, "PyTorch")) {
      model.load(new ByteArrayInputStream(archive));
      plain = predict(model);
    }
    try (WovenDjl djl = new WovenDjl(WovenDjl.config(1, false, entry));
        Model model = Model.newInstance(name, "PyTorch")) {
      model.load(new ByteArrayInputStream(archive));
      assertThat(predict(model)).isEqualTo(plain);
      assertThat(djl.messages).hasSize(1);
      RefusalTable.assertSays(
          "a stream that does not fit on the disk for temporary files", djl.messages);
      assertThat(djl.failures).isEmpty();
    }
  }

  @Test
  void stream_without_an_archive_should_fail_as_without_camhook() throws Exception {
    byte[] whole = ScriptLoading.parameters(1, 0, new byte[0]);
    byte[] cut = Arrays.copyOf(whole, whole.length - 4); // in the middle of the size
    String plain = parametersOutcome(cut);
    assertThat(plain).contains("EOFException");
    try (WovenDjl djl = new WovenDjl(WovenDjl.capturing(Target.TOP1, "features"))) {
      assertThat(parametersOutcome(cut)).isEqualTo(plain);
      assertThat(djl.messages).isEmpty();
    }
  }

  @Test
  void parameters_of_an_unknown_version_should_be_refused_by_djl_itself() throws Exception {
    byte[] archive = Files.readAllBytes(GAP_LINEAR);
    byte[] other = ScriptLoading.parameters(7, archive.length, archive);
    try (WovenDjl djl = new WovenDjl(WovenDjl.capturing(Target.TOP1, "features"));
        Model model = Model.newInstance("net", "PyTorch")) {
      model.setBlock(new PtSymbolBlock((PtNDManager) model.getNDManager()));
      assertThatThrownBy(() -> model.load(new ByteArrayInputStream(other)))
          .isInstanceOf(MalformedModelException.class)
          .hasMessage("Unsupported encoding version: 7");
      assertThat(djl.failures).isEmpty();
    }
  }

  /** The output of a request, or the exception of the load. */
  private static String outcome(ScriptLoading loading, Path file) throws Exception {
    try (Model model = loading.load(file)) {
      return predict(model);
    } catch (Exception e) {
      return e.getClass() + " " + e.getMessage();
    }
  }

  private static String parametersOutcome(byte[] file) throws Exception {
    try (Model model = Model.newInstance("net", "PyTorch")) {
      model.setBlock(new PtSymbolBlock((PtNDManager) model.getNDManager()));
      model.load(new ByteArrayInputStream(file));
      return predict(model);
    } catch (Exception e) {
      return e.getClass() + " " + e.getMessage();
    }
  }

  private static String predict(Model model) throws Exception {
    try (NDManager manager = NDManager.newBaseManager("PyTorch");
        Predictor<NDList, NDList> predictor = model.newPredictor(Nets.unbatched())) {
      NDList input = new NDList(Nets.input(manager, 1, 3, 48, 40));
      return HexFormat.of().formatHex(Nets.bytes(predictor.predict(input)));
    }
  }

  private static Map<String, byte[]> entries() throws IOException {
    Map<String, byte[]> entries = new LinkedHashMap<>();
    try (ZipFile zip = new ZipFile(GAP_LINEAR.toFile())) {
      Enumeration<? extends ZipEntry> all = zip.entries();
      while (all.hasMoreElements()) {
        ZipEntry entry = all.nextElement();
        entries.put(entry.getName(), zip.getInputStream(entry).readAllBytes());
      }
    }
    return entries;
  }

  static byte[] zip(Map<String, byte[]> entries) throws IOException {
    return zip(entries, ZipEntry.DEFLATED);
  }

  private static byte[] stored(Map<String, byte[]> entries) throws IOException {
    return zip(entries, ZipEntry.STORED);
  }

  private static byte[] zip(Map<String, byte[]> entries, int method) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
      for (Map.Entry<String, byte[]> each : entries.entrySet()) {
        ZipEntry entry = new ZipEntry(each.getKey());
        entry.setMethod(method);
        entry.setSize(each.getValue().length);
        CRC32 crc = new CRC32();
        crc.update(each.getValue());
        entry.setCrc(crc.getValue());
        zip.putNextEntry(entry);
        zip.write(each.getValue());
        zip.closeEntry();
      }
    }
    return bytes.toByteArray();
  }
}
