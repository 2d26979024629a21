package io.camhook.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class AgentOptionsTest {
  @Test
  void lone_word_should_be_the_configuration_file() {
    assertThat(options("camhook.yaml").text("config")).isEqualTo("camhook.yaml");
    assertThat(options("camhook.yaml,dryRun=true").text("dryRun")).isEqualTo("true");
    assertThat(options("config=a.yaml,sampling.rate=0.5").text("config")).isEqualTo("a.yaml");
  }

  @Test
  void option_should_win_over_property_and_property_over_environment() {
    Map<String, String> properties = Map.of("camhook.b", "property", "camhook.a", "property");
    Map<String, String> environment =
        Map.of("CAMHOOK_A", "variable", "CAMHOOK_B", "variable", "CAMHOOK_LIMITS_WHEN_FULL", "x");
    AgentOptions options = AgentOptions.parse("a=option", properties::get, environment::get);

    assertThat(options.find("a")).hasToString("Given[text=option, source=agent option a]");
    assertThat(options.find("b"))
        .hasToString("Given[text=property, source=system property camhook.b]");
    assertThat(options.find("limits.whenFull"))
        .hasToString("Given[text=x, source=environment variable CAMHOOK_LIMITS_WHEN_FULL]");
    assertThat(options.find("c")).isNull();
  }

  @Test
  void malformed_options_should_be_refused() {
    assertThatThrownBy(() -> options("config=a,rate"))
        .hasMessage("agent options: expected key=value, found \"rate\"");
    assertThatThrownBy(() -> options("a=1,a=2")).hasMessage("agent options: a is given twice");
  }

  @Test
  void unknown_option_should_name_the_nearest() {
    assertThat(options("sampling.rat=1,onError=stop").unknown(Set.of("sampling.rate")))
        .extracting(Object::toString)
        .containsExactly(
            "agent option sampling.rat: no such option; nearest is \"sampling.rate\"; expected one"
                + " of bootstrap, command, config, onError, sampling.rate",
            "agent option onError: expected exit or continue, found \"stop\"");
  }

  private static AgentOptions options(String text) {
    return AgentOptions.parse(text, key -> null, key -> null);
  }
}
