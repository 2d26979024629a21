package io.camhook.agent;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

/** LangChain4j's in-process embedding model. */
class LangChain4jIT extends EmbeddingHost {
  LangChain4jIT() {
    super("langchain4j", "/langchain4j/Similar.java");
  }

  @Override
  List<String> arguments() {
    return List.of("float");
  }

  @Test
  void quantized_twin_should_be_refused_by_the_operators_that_have_no_gradient() throws Exception {
    String plain = embed(false, List.of("quantized"), CAT).out();
    configure("quantized", "class:0", "activation, gradient, output");
    ForkedJvm.Result woven = embed(true, List.of("quantized"), CAT);
    assertThat(woven.out()).isEqualTo(plain);
    assertThat(woven.err()).contains("without gradients").containsPattern("Quantize|MatMulInteger");
    assertThat(woven.err().lines().filter(line -> line.contains("without gradients"))).hasSize(1);
    assertThat(captures("quantized").get(0).tensors())
        .containsKey("activation/" + TOKENS)
        .doesNotContainKey("gradient/" + TOKENS);
  }
}
