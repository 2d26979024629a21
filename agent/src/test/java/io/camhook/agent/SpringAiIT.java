package io.camhook.agent;

import java.io.IOException;
import java.util.List;

/** Spring AI's {@code TransformersEmbeddingModel}, which runs its pooling in DJL's PyTorch. */
class SpringAiIT extends EmbeddingHost {
  SpringAiIT() {
    super("springai", "/springai/Embed.java");
  }

  @Override
  List<String> arguments() throws IOException {
    return List.of(
        extracted(MODEL).toString(), extracted("all-minilm-l6-v2-tokenizer.json").toString());
  }
}
