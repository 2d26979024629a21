package io.camhook.capture;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ClassNamesTest {
  @TempDir Path folder;

  @Test
  void metadata_should_be_read_as_json_and_as_python_prints_it() {
    assertThat(ClassNames.of(Map.of("labels", "[\"cat\", \"dog\"]"), null))
        .containsExactly("cat", "dog");
    assertThat(ClassNames.of(Map.of("names", "{0: 'person', 1: \"driver's seat\"}"), null))
        .containsExactly("person", "driver's seat");
    assertThat(ClassNames.of(Map.of("id2label", "{\"1\": \"b\", \"0\": \"a\"}"), null))
        .containsExactly("a", "b");
    assertThat(ClassNames.of(Map.of("classes", "cat\ndog\n"), null)).containsExactly("cat", "dog");
  }

  @Test
  void metadata_that_is_no_list_of_names_should_be_left_alone() {
    assertThat(ClassNames.of(Map.of("names", "resnet", "author", "[\"me\"]"), null)).isEmpty();
    assertThat(ClassNames.of(Map.of("names", "{0: 'a', 2: 'c'}"), null)).isEmpty();
    assertThat(ClassNames.of(Map.of(), folder)).isEmpty();
  }

  @Test
  void files_beside_the_model_should_be_found() throws Exception {
    Files.writeString(
        folder.resolve("config.json"), "{\"id2label\": {\"0\": \"NEG\", \"1\": \"POS\"}}");
    assertThat(ClassNames.of(Map.of(), folder)).containsExactly("NEG", "POS");
    Files.writeString(folder.resolve("synset.txt"), "n02123159 tiger cat\ndog\n");
    assertThat(ClassNames.of(Map.of(), folder)).containsExactly("tiger cat", "dog");
    assertThat(ClassNames.of(Map.of("names", "['x']"), folder)).containsExactly("x");
  }
}
