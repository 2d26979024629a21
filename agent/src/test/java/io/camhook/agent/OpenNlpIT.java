package io.camhook.agent;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** OpenNLP's {@code SentenceVectorsDL}, with a tokenizer of its own. */
class OpenNlpIT extends EmbeddingHost {
  OpenNlpIT() {
    super("opennlp", "/opennlp/Vectors.java");
  }

  @Override
  List<String> arguments() throws IOException {
    return List.of(extracted(MODEL).toString(), vocabulary().toString());
  }

  /**
   * Its attention mask is 0 everywhere, so that the graph adds -3.4e38 to each score of an
   * attention. What autograd gives for that sum is 1, as of any other; small steps of the score are
   * lost in it.
   */
  @Override
  boolean hasDerivatives() {
    return false;
  }

  /** One token per line, as OpenNLP reads it, from the model's tokenizer. */
  private Path vocabulary() throws IOException {
    JsonNode tokens =
        new ObjectMapper()
            .readTree(extracted("all-minilm-l6-v2-tokenizer.json").toFile())
            .at("/model/vocab");
    List<String> all = new ArrayList<>();
    tokens.fieldNames().forEachRemaining(all::add);
    all.sort(Comparator.comparingInt(token -> tokens.get(token).asInt()));
    return Files.write(directory.resolve("vocab.txt"), all);
  }
}
