package io.camhook.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.camhook.cam.ReferenceCase;
import io.camhook.recording.Safetensors;
import io.camhook.recording.Tensor;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** How the command treats its inputs, and files that do not fit. */
@EnabledIf("present")
class ExplainInputsTest {
  private static final Path CASES =
      Path.of(System.getProperty("camhook.reference", "../shared/reference")).resolve("cases");

  @TempDir Path folder;

  static boolean present() {
    return Files.isDirectory(CASES);
  }

  /** The two pictures of the case have different sizes. */
  @Test
  void methods_of_the_input_should_have_a_map_over_each_picture() throws IOException {
    Path input = CASES.resolve("siamese.safetensors");
    Invocation run =
        Invocation.of(
            "explain",
            CASES.resolve("siamese.pt"),
            input,
            "-m",
            "integrated-gradients",
            "--samples",
            "2",
            "-o",
            folder);
    assertThat(run.status()).as(run.err()).isZero();
    Map<String, Tensor> pictures = ReferenceCase.safetensors(input);
    Map<String, Tensor> found = ReferenceCase.safetensors(folder.resolve("siamese.safetensors"));
    for (int i = 0; i < 2; i++) {
      String raw = "raw/integrated-gradients/input" + (i == 0 ? "" : "#1");
      assertThat(found).containsKey(raw);
      assertThat(found.get(raw).size(0)).isEqualTo(pictures.get("input" + i).size(2));
    }
  }

  /** The file's input is [N, 3, 48, 40]. */
  @Test
  void pictures_should_have_the_size_that_the_file_fixes() {
    Path model = CASES.resolveSibling("onnx").resolve("gap_linear.l17.onnx");
    Path picture = CASES.resolve("grey.png");
    Invocation run = Invocation.of("explain", model, picture, "-o", folder.resolve("fixed"));
    assertThat(run.status()).as(run.err()).isZero();
    Invocation other =
        Invocation.of("explain", model, picture, "--size", "32", "-o", folder.resolve("other"));
    assertThat(other.status()).isEqualTo(1);
    assertThat(other.err())
        .isEqualTo(
            "camhook: grey: the model cannot be run with inputs of shape [1, 3, 32, 32]: input"
                + " 'input' has the shape [N, 3, 48, 40] in the model's file, found [1, 3, 32, 32]"
                + System.lineSeparator());
  }

  @Test
  void picture_for_a_model_of_two_inputs_should_be_told_what_is_missing() {
    for (String model :
        List.of("torchscript/multi_input.scripted.pt", "onnx/multi_input.l17.onnx")) {
      Invocation run =
          Invocation.of(
              "explain",
              CASES.resolveSibling(model.split("/")[0]).resolve(model.split("/")[1]),
              CASES.resolve("grey.png"),
              "-o",
              folder.resolve("two"));
      assertThat(run.status()).isEqualTo(1);
      assertThat(run.err())
          .startsWith("camhook: grey: the model takes 2 inputs (")
          .contains("found 1; give it a .safetensors file with a tensor for each, named ");
    }
  }

  /** Gradient × activation at the embedding, as PyTorch computes it; the notice is a question. */
  @ParameterizedTest
  @ValueSource(strings = {"spans.traced", "spans.scripted", "sparse.traced", "sparse.scripted"})
  void tokens_should_get_their_share_of_a_position_or_of_an_entry_of_the_vocabulary(String archive)
      throws IOException {
    Path models = CASES.resolveSibling("auto");
    String kind = archive.substring(0, archive.indexOf('.'));
    JsonNode facts = new ObjectMapper().readTree(models.resolve("auto.json").toFile()).get(kind);
    long[] ids = new ObjectMapper().convertValue(facts.get("ids"), long[].class);
    Path input = folder.resolve("ids.safetensors");
    Map<String, Tensor> tensors = Map.of("input", Tensor.ofLongs(ids, 1, ids.length));
    try (var out =
        FileChannel.open(input, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      new Safetensors(Map.of(), tensors).write(out);
    }
    for (Map.Entry<String, JsonNode> score : facts.get("words").properties()) {
      String[] outputAndIndex = score.getKey().split(":");
      List<Object> command =
          new ArrayList<>(
              List.of(
                  "explain", models.resolve(archive + ".pt"), input, "-o", folder.resolve("out")));
      command.addAll(List.of("-t", "class:" + outputAndIndex[1]));
      boolean asked = outputAndIndex[0].equals("0");
      if (!asked) {
        command.addAll(List.of("--output", outputAndIndex[0]));
      }
      Invocation run = Invocation.of(command.toArray());
      assertThat(run.status()).as(run.err()).isZero();
      assertThat(run.err().contains("choose another with --output"))
          .isEqualTo(asked && kind.equals("spans"));
      assertThat(
              ReferenceCase.safetensors(folder.resolve("out/ids.safetensors"))
                  .get("raw/hirescam/letters")
                  .toFloats())
          .as("score %s", score.getKey())
          .containsExactly(
              new ObjectMapper().convertValue(score.getValue(), float[].class), within(1e-6f));
    }
  }

  @Test
  void labels_of_another_number_than_the_classes_should_be_noticed() throws IOException {
    Path labels = Files.write(folder.resolve("five.txt"), Collections.nCopies(5, "cat"));
    Invocation run =
        Invocation.of(
            "explain",
            CASES.resolve("words12.pt"),
            CASES.resolve("words12.safetensors"),
            "--labels",
            labels,
            "-o",
            folder.resolve("out"));
    assertThat(run.status()).isZero();
    assertThat(run.err())
        .contains("the labels are 5 names, and output 0 has 3 classes")
        .contains("--labels");
  }

  /** An operator of a future torch, in the place of relu. */
  @Test
  void archive_of_a_newer_torch_should_be_told_as_that() throws IOException {
    assertThat(explainWithoutRelu("torch._of_2030(input)"))
        .contains("written by a newer torch than the 2.7.1")
        .contains("it calls aten::_of_2030")
        .hasLineCount(1);
  }

  /** As {@code torch.jit.save} writes what {@code optimize_for_inference} returns. */
  @Test
  void archive_without_its_onednn_constants_should_be_told_with_the_remedy() throws IOException {
    assertThat(explainWithoutRelu("ops.prim.ConstantMKLDNNTensor()"))
        .contains("torch.jit.save did not write the oneDNN constants")
        .contains("save what torch.jit.freeze returns")
        .hasLineCount(1);
  }

  /** The message for an archive whose relu is another expression. */
  private String explainWithoutRelu(String instead) throws IOException {
    Path changed = folder.resolve("changed.pt");
    Path archive = CASES.resolveSibling("torchscript").resolve("gap_linear.scripted.pt");
    try (ZipFile in = new ZipFile(archive.toFile());
        ZipOutputStream out = new ZipOutputStream(Files.newOutputStream(changed))) {
      out.setMethod(ZipOutputStream.STORED);
      for (ZipEntry entry : Collections.list(in.entries())) {
        byte[] bytes = in.getInputStream(entry).readAllBytes();
        if (entry.getName().endsWith("functional.py")) {
          String code = new String(bytes, StandardCharsets.UTF_8);
          bytes =
              code.replaceAll("torch\\.relu_?\\(input\\)", instead)
                  .getBytes(StandardCharsets.UTF_8);
        }
        CRC32 sum = new CRC32();
        sum.update(bytes);
        ZipEntry copy = new ZipEntry(entry.getName());
        copy.setSize(bytes.length);
        copy.setCrc(sum.getValue());
        out.putNextEntry(copy);
        out.write(bytes);
      }
    }
    Invocation run =
        Invocation.of(
            "explain",
            changed,
            CASES.resolveSibling("torchscript").resolve("gap_linear.safetensors"),
            "-o",
            folder.resolve("out"));
    assertThat(run.status()).isEqualTo(1);
    return run.err();
  }

  /** Wrapped lines of an option are two columns to the right of its first line. */
  @Test
  void help_should_keep_its_indentation() {
    for (String command : List.of("explain", "report", "process", "serve", "layers")) {
      List<String> lines =
          Invocation.of(command, "--help")
              .out()
              .lines()
              .dropWhile(line -> line.matches("Usage:.*| {8,}\\S.*")) // the synopsis
              .takeWhile(line -> !line.startsWith("Written per"))
              .toList();
      int column = 80;
      for (String line : lines) {
        int indent = line.length() - line.stripLeading().length();
        column = indent > 20 ? Math.min(column, indent) : column;
      }
      for (int i = 1; i < lines.size(); i++) {
        String line = lines.get(i);
        assertThat(line.length()).as(line).isLessThanOrEqualTo(80);
        if (line.matches(" {" + column + "}\\S.*")) { // the name was on its own line
          assertThat(lines.get(i - 1)).as(command + " before: " + line).matches(" {2,6}\\S.*");
        }
      }
    }
  }
}
