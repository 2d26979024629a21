import dev.langchain4j.model.embedding.EmbeddingModel;
import dev.langchain4j.model.embedding.onnx.allminilml6v2.AllMiniLmL6V2EmbeddingModel;
import dev.langchain4j.model.embedding.onnx.allminilml6v2q.AllMiniLmL6V2QuantizedEmbeddingModel;
import java.util.Arrays;

/** LangChain4j's embedding model in its own process, as its documentation shows it. */
public class Similar {
  public static void main(String[] arguments) {
    EmbeddingModel model =
        arguments[0].equals("quantized")
            ? new AllMiniLmL6V2QuantizedEmbeddingModel()
            : new AllMiniLmL6V2EmbeddingModel();
    for (int i = 1; i < arguments.length; i++) {
      System.out.println(Arrays.toString(model.embed(arguments[i]).content().vector()));
    }
  }
}
