package io.camhook.explain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.camhook.recording.Tensor;
import io.camhook.render.Picture;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class InputFilesTest {
  @TempDir Path folder;

  @Test
  void directory_should_give_its_pictures_in_order() throws IOException {
    new Picture(1, 1, new byte[3]).writePng(folder.resolve("b.png"));
    new Picture(1, 1, new byte[3]).writePng(folder.resolve("a.png"));
    Files.writeString(folder.resolve("notes.txt"), "no picture");
    InputFiles files = files(folder);
    assertThat(files.size()).isEqualTo(2);
    assertThat(files.name(0)).isEqualTo("a");
    ModelInput input = files.read(1).get(0);
    assertThat(input.name()).isEqualTo("b");
    assertThat(input.tensors().get(0).shape()).containsExactly(1, 3, 2, 2);
    assertThat(input.picture().width()).isEqualTo(2);
  }

  @Test
  void equal_names_should_be_told_apart() throws IOException {
    Path other = Files.createDirectory(folder.resolve("other"));
    new Picture(1, 1, new byte[3]).writePng(folder.resolve("a.png"));
    new Picture(1, 1, new byte[3]).writePng(other.resolve("a.png"));
    InputFiles files = files(folder.resolve("a.png"), other.resolve("a.png"));
    assertThat(files.name(1)).isEqualTo("a-2");
  }

  @Test
  void tensors_should_be_taken_in_the_order_of_their_numbers() throws IOException {
    Path file =
        OneConv.tensors(
            folder.resolve("x.safetensors"),
            Map.of(
                "input1", Tensor.ofFloats(new float[] {3}, 1, 1),
                "input0", Tensor.ofFloats(new float[] {1, 2}, 1, 2)));
    List<Tensor> tensors = files(file).read(0).get(0).tensors();
    assertThat(tensors).hasSize(2);
    assertThat(tensors.get(0).toFloats()).containsExactly(1, 2);
  }

  @Test
  void batch_should_give_an_input_for_each_sample() throws IOException {
    Path file =
        OneConv.tensors(
            folder.resolve("x.safetensors"),
            Map.of("input", Tensor.ofFloats(new float[] {1, 2, 3, 4}, 2, 2)));
    List<ModelInput> inputs = files(file).read(0);
    assertThat(inputs).extracting(ModelInput::name).containsExactly("x-0", "x-1");
    assertThat(inputs.get(1).tensors().get(0).shape()).containsExactly(1, 2);
    assertThat(inputs.get(1).tensors().get(0).toFloats()).containsExactly(3, 4);
  }

  @Test
  void tensors_of_other_names_should_be_taken_by_them() throws IOException {
    Path file =
        OneConv.tensors(
            folder.resolve("x.safetensors"),
            Map.of(
                "input_ids", Tensor.ofFloats(new float[1], 1, 1),
                "attention_mask", Tensor.ofFloats(new float[1], 1, 1),
                "image", Tensor.ofBytes(new byte[3], 1, 1, 3)));
    assertThat(files(file).read(0).get(0).names()).containsExactly("attention_mask", "input_ids");
  }

  @Test
  void file_without_tensors_should_be_refused() throws IOException {
    Path file = OneConv.tensors(folder.resolve("x.safetensors"), Map.of());
    assertThatThrownBy(() -> files(file).read(0))
        .hasMessageContaining("expected a tensor 'input', or 'input0', 'input1' and so on");
  }

  @Test
  void file_that_is_no_picture_should_be_refused_in_one_line() throws IOException {
    Path file = Files.writeString(folder.resolve("a.png"), "not a picture");
    assertThatThrownBy(() -> files(file).read(0))
        .hasMessage(
            file
                + ": expected a picture (PNG, JPEG, GIF, BMP) or a .safetensors file, found"
                + " neither");
  }

  @Test
  void missing_file_should_be_named() {
    assertThatThrownBy(() -> files(folder.resolve("nowhere.png")))
        .hasMessage(folder.resolve("nowhere.png") + ": no such file or directory");
  }

  @Test
  void directory_without_pictures_should_be_refused() {
    assertThatThrownBy(() -> files(folder))
        .hasMessage(
            folder
                + ": the directory holds no picture (png, jpg, jpeg, gif, bmp), and no text (txt)");
  }

  private static InputFiles files(Path... paths) throws IOException {
    return InputFiles.of(List.of(paths), Preprocessing.imageNet().withSize(2, 2));
  }
}
