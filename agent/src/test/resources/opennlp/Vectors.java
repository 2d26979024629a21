import java.io.File;
import java.util.Arrays;
import opennlp.dl.vectors.SentenceVectorsDL;

/** OpenNLP's sentence vectors in their own process: MODEL VOCABULARY SENTENCE… */
public class Vectors {
  public static void main(String[] arguments) throws Exception {
    SentenceVectorsDL model =
        new SentenceVectorsDL(new File(arguments[0]), new File(arguments[1]));
    for (int i = 2; i < arguments.length; i++) {
      System.out.println(Arrays.toString(model.getVectors(arguments[i])));
    }
  }
}
