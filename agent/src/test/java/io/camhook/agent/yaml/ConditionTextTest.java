package io.camhook.agent.yaml;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ConditionTextTest {
  /** Of a tiger cat (class 282) that is seen with probability 0.5. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "confidence < 0.6                                           | true",
        "confidence < 0.5                                           | false",
        "confidence <= 0.5                                          | true",
        "confidence>.5                                              | false",
        "confidence >= .5                                           | true",
        "label in [cat, tiger cat]                                  | true",
        "label in [\"tiger cat\"]                                   | true",
        "label in [282]                                             | true",
        "label in [cat]                                             | false",
        "label not in [cat]                                         | true",
        "label in [cat] or confidence < 0.6                         | true",
        "label in [cat] and confidence < 0.6                        | false",
        "label in [dog] and confidence < 0.1 or label in [282]      | true",
      })
  void condition_should_hold(String text, boolean holds) {
    assertThat(ConditionText.parse(text).holds(0.5, "tiger cat", 282)).isEqualTo(holds);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "confidence",
        "confidence = 1",
        "label in []",
        "label in [a",
        "x < 1",
        "confidence < 1 confidence > 0",
        "confidence < 1 and",
        "label in [a,,b]"
      })
  void anything_else_should_be_refused(String text) {
    assertThatThrownBy(() -> ConditionText.parse(text))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
