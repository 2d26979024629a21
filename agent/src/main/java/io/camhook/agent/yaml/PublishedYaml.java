package io.camhook.agent.yaml;

import java.io.StringReader;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.composer.Composer;
import org.yaml.snakeyaml.error.YAMLException;
import org.yaml.snakeyaml.nodes.MappingNode;
import org.yaml.snakeyaml.nodes.Node;
import org.yaml.snakeyaml.nodes.NodeTuple;
import org.yaml.snakeyaml.nodes.ScalarNode;
import org.yaml.snakeyaml.nodes.SequenceNode;
import org.yaml.snakeyaml.parser.ParserImpl;
import org.yaml.snakeyaml.reader.StreamReader;
import org.yaml.snakeyaml.resolver.Resolver;

/**
 * A configuration's text in the form stored with a recording, which others may read: without
 * comments, values of keys that look like secrets, {@code ${…}} with its defaults, and user names
 * in addresses. Everything else is verbatim.
 */
public final class PublishedYaml {
  private static final String HIDDEN = "***";

  private static final Pattern SECRET_KEY =
      Pattern.compile(
          "(?i).*(passw(or)?d|passphrase|secret|credential|token|jaas|(api|access|private|auth|keystore)[-_.]?key)s?([-_.]?config)?");
  private static final Pattern VARIABLE = Pattern.compile("\\$\\{[^}\\n]*\\}?");
  private static final Pattern USER_INFO = Pattern.compile("(?<=://)[^/@\\s\"']+(?=@)");

  private final String text;

  /** The spans that are values, by their start, and what is published of each. */
  private final Map<Integer, Span> spans = new TreeMap<>();

  private record Span(int end, String published) {}

  private PublishedYaml(String text) {
    this.text = text;
  }

  /** The publishable text of a configuration; null if it is not YAML. */
  public static @Nullable String of(String text) {
    try {
      LoaderOptions options = new LoaderOptions();
      Node document =
          new Composer(
                  new ParserImpl(new StreamReader(new StringReader(text)), options),
                  new Resolver(),
                  options)
              .getSingleNode();
      PublishedYaml published = new PublishedYaml(text);
      if (document != null) {
        published.visit(document, false);
      }
      return published.withoutComments();
    } catch (YAMLException e) {
      return null;
    }
  }

  private void visit(Node node, boolean secret) {
    if (node instanceof MappingNode mapping) {
      for (NodeTuple tuple : mapping.getValue()) {
        visit(tuple.getKeyNode(), false);
        boolean hides =
            tuple.getKeyNode() instanceof ScalarNode key
                && SECRET_KEY.matcher(key.getValue()).matches();
        visit(tuple.getValueNode(), secret || hides);
      }
    } else if (node instanceof SequenceNode sequence) {
      sequence.getValue().forEach(item -> visit(item, secret));
    } else if (node instanceof ScalarNode scalar) {
      int begin = offset(scalar.getStartMark().getIndex());
      int end = offset(scalar.getEndMark().getIndex());
      String written = text.substring(begin, end);
      spans.put(begin, new Span(end, secret && end > begin ? hidden(written) : open(written)));
    }
  }

  /** Marks count code points. */
  private int offset(int codePoints) {
    return text.offsetByCodePoints(0, codePoints);
  }

  /** The value of a block scalar ends with its last line break. */
  private static String hidden(String written) {
    return '"' + HIDDEN + '"' + (written.endsWith("\n") ? "\n" : "");
  }

  private static String open(String written) {
    return USER_INFO.matcher(VARIABLE.matcher(written).replaceAll(HIDDEN)).replaceAll(HIDDEN);
  }

  private String withoutComments() {
    StringBuilder published = new StringBuilder(text.length());
    int position = 0;
    while (position < text.length()) {
      Span span = spans.get(position);
      if (span != null && span.end > position) {
        published.append(span.published);
        position = span.end;
      } else if (text.charAt(position) == '#'
          && (position == 0 || Character.isWhitespace(text.charAt(position - 1)))) {
        int end = text.indexOf('\n', position);
        position = end < 0 ? text.length() : end;
        removeEnd(published);
      } else {
        published.append(text.charAt(position++));
      }
    }
    return published.toString().replaceAll("(?m)^[ \\t]*\\n", "");
  }

  /** Removes the spaces before a comment. */
  private static void removeEnd(StringBuilder published) {
    int length = published.length();
    while (length > 0
        && (published.charAt(length - 1) == ' ' || published.charAt(length - 1) == '\t')) {
      length--;
    }
    published.setLength(length);
  }
}
