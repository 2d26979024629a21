package io.camhook.naming;

import java.util.regex.Pattern;

/** A pattern in which {@code *} stands for any number of characters, including none. */
public final class Glob {
  private final Pattern pattern;
  private final boolean literal;

  public Glob(String glob) {
    StringBuilder regex = new StringBuilder();
    int from = 0;
    for (int star = glob.indexOf('*'); star >= 0; star = glob.indexOf('*', from)) {
      regex.append(Pattern.quote(glob.substring(from, star))).append(".*");
      from = star + 1;
    }
    regex.append(Pattern.quote(glob.substring(from)));
    pattern = Pattern.compile(regex.toString(), Pattern.DOTALL);
    literal = from == 0;
  }

  /** Whether all of {@code text} is matched. */
  public boolean matches(String text) {
    return pattern.matcher(text).matches();
  }

  /** Whether there is no {@code *} in it. */
  public boolean isLiteral() {
    return literal;
  }
}
