package io.camhook.torchscript;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/** Ways to damage bytes and text, each from a seed. */
final class Mutations {
  private static final int[] SIZES = {0, 1, 0x7f, 0xffff, 0x10000, 0x7fffffff, -1, -2, 1 << 30};

  private static final List<String> TOKENS =
      List.of(
          "(",
          ")",
          "[",
          "]",
          ":",
          ",",
          ".",
          "\n",
          "\n    ",
          "\"",
          "'",
          "=",
          "self",
          "if ",
          "else:",
          "for ",
          "in ",
          "while ",
          "with ",
          "class ",
          "def ",
          "return ",
          "lambda ",
          "__torch__.",
          "getattr(self, \"0\")",
          "1e999",
          "999999999999999999999",
          "((((((((((((((((",
          "-",
          "not ",
          "*",
          "**",
          "\\",
          "#",
          "\0",
          "\u00fc",
          "Tuple[Tensor, ",
          "Optional[");

  private static final Pattern WORD =
      Pattern.compile(
          "\\b(?!(class|def|return|for|in|if|else|self)\\b)([A-Za-z_][A-Za-z_0-9.]*|[0-9.]+)");

  private Mutations() {}

  /** One to four changes. */
  static byte[] bytes(byte[] good, long seed) {
    Random random = new Random(seed);
    byte[] bad = good.clone();
    int changes = 1 + random.nextInt(4);
    for (int i = 0; i < changes && bad.length > 8; i++) {
      int at = random.nextInt(bad.length);
      switch (random.nextInt(7)) {
        case 0, 1 -> bad[at] = (byte) random.nextInt(256);
        case 2 -> bad[at] ^= (byte) (1 << random.nextInt(8));
        case 3 -> bad = cut(bad, at, Math.min(bad.length, at + 1 + random.nextInt(64)));
        case 4 -> bad = insert(bad, at, piece(bad, random));
        case 5 -> size(bad, Math.min(at, bad.length - 4), random);
        default -> bad = random.nextInt(3) == 0 ? Arrays.copyOf(bad, at) : bad;
      }
    }
    return bad;
  }

  /** Moves, repeats and drops pieces and lines, inserts words at wrong places. */
  static String text(String good, long seed) {
    Random random = new Random(seed);
    StringBuilder bad = new StringBuilder(good);
    int changes = 1 + random.nextInt(4);
    for (int i = 0; i < changes && bad.length() > 8; i++) {
      int at = random.nextInt(bad.length());
      int end = Math.min(bad.length(), at + 1 + random.nextInt(40));
      switch (random.nextInt(6)) {
        case 0 -> bad.setCharAt(at, (char) (9 + random.nextInt(118)));
        case 1 -> bad.delete(at, end);
        case 2 -> bad.insert(at, TOKENS.get(random.nextInt(TOKENS.size())));
        case 3 -> bad.insert(random.nextInt(bad.length()), bad.substring(at, end));
        case 4 -> swapLines(bad, random);
        default -> bad.insert(at, TOKENS.get(random.nextInt(TOKENS.size())).repeat(200));
      }
    }
    return bad.toString();
  }

  /** Puts words and numbers where others were, and swaps lines that are indented alike. */
  static String words(String good, long seed) {
    Random random = new Random(seed);
    String text = good;
    int changes = 1 + random.nextInt(3);
    for (int i = 0; i < changes; i++) {
      if (random.nextInt(3) == 0) {
        text = swapSiblings(text, random);
        continue;
      }
      List<MatchResult> words = WORD.matcher(text).results().toList();
      MatchResult at = words.get(random.nextInt(words.size()));
      String other = words.get(random.nextInt(words.size())).group();
      text = text.substring(0, at.start()) + other + text.substring(at.end());
    }
    return text;
  }

  private static String swapSiblings(String text, Random random) {
    String[] lines = text.split("\n", -1);
    int a = random.nextInt(lines.length);
    List<Integer> siblings = new ArrayList<>();
    for (int i = 0; i < lines.length; i++) {
      if (indent(lines[i]) == indent(lines[a])) {
        siblings.add(i);
      }
    }
    int b = siblings.get(random.nextInt(siblings.size()));
    String kept = lines[a];
    lines[a] = lines[b];
    lines[b] = kept;
    return String.join("\n", lines);
  }

  private static int indent(String line) {
    return line.length() - line.stripLeading().length();
  }

  private static void swapLines(StringBuilder text, Random random) {
    String[] lines = text.toString().split("\n", -1);
    int a = random.nextInt(lines.length);
    int b = random.nextInt(lines.length);
    String kept = lines[a];
    lines[a] = lines[b];
    lines[b] = kept;
    text.replace(0, text.length(), String.join("\n", lines));
  }

  private static byte[] piece(byte[] of, Random random) {
    int from = random.nextInt(of.length);
    byte[] piece = Arrays.copyOfRange(of, from, Math.min(of.length, from + 1 + random.nextInt(64)));
    int times = random.nextInt(8) == 0 ? 100 : 1;
    return new String(piece, StandardCharsets.ISO_8859_1)
        .repeat(times)
        .getBytes(StandardCharsets.ISO_8859_1);
  }

  private static void size(byte[] bytes, int at, Random random) {
    ByteBuffer.wrap(bytes)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putInt(at, SIZES[random.nextInt(SIZES.length)]);
  }

  private static byte[] cut(byte[] bytes, int from, int to) {
    byte[] shorter = Arrays.copyOf(bytes, bytes.length - (to - from));
    System.arraycopy(bytes, to, shorter, from, bytes.length - to);
    return shorter;
  }

  private static byte[] insert(byte[] bytes, int at, byte[] piece) {
    byte[] longer = Arrays.copyOf(bytes, bytes.length + piece.length);
    System.arraycopy(piece, 0, longer, at, piece.length);
    System.arraycopy(bytes, at, longer, at + piece.length, bytes.length - at);
    return longer;
  }
}
