package io.camhook.samples.shapes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class DemoOptionsTest {
  @Test
  void options_should_replace_the_defaults() {
    assertThat(
            DemoOptions.parse(
                new String[] {"--pictures", "p", "--threads", "3", "--outputs", "o.bin"}))
        .isEqualTo(new DemoOptions(Path.of("p"), 64, 4, 2024, 3, Path.of("o.bin")));
  }

  @Test
  void wrong_options_should_be_told() {
    assertThatThrownBy(() -> DemoOptions.parse(new String[] {"--treads", "3"}))
        .hasMessage("unknown option --treads");
    assertThatThrownBy(() -> DemoOptions.parse(new String[] {"--threads"}))
        .hasMessage("option --threads needs a value");
    assertThatThrownBy(() -> DemoOptions.parse(new String[] {"--threads", "0"}))
        .hasMessage("--threads expects a whole number of at least 1, found 0");
    assertThatThrownBy(() -> DemoOptions.parse(new String[] {"--count", "many"}))
        .hasMessage("--count expects a whole number of at least 0, found many");
  }
}
