import java.util.Arrays;
import org.springframework.ai.transformers.TransformersEmbeddingModel;
import org.springframework.core.io.FileSystemResource;

/** Spring AI's embedding model in its own process: MODEL TOKENIZER SENTENCE… */
public class Embed {
  public static void main(String[] arguments) throws Exception {
    TransformersEmbeddingModel model = new TransformersEmbeddingModel();
    model.setDisableCaching(true);
    model.setModelResource(new FileSystemResource(arguments[0]));
    model.setTokenizerResource(new FileSystemResource(arguments[1]));
    model.setModelOutputName("output_0"); // this file calls it so; the default is last_hidden_state
    model.afterPropertiesSet();
    for (int i = 2; i < arguments.length; i++) {
      System.out.println(Arrays.toString(model.embed(arguments[i])));
    }
  }
}
