package io.camhook.agent.weave;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

/**
 * Searches a class file's constant pool for text without parsing the class. This takes a few
 * microseconds, so it can be done for every class that the JVM loads (JVMS 4.4).
 */
final class ConstantPool {
  private static final int FIRST_ENTRY = 10;

  private ConstantPool() {}

  /** Whether the pool has the string {@code text}; ASCII only. */
  static boolean has(byte[] classFile, String text) {
    return find(classFile, text.getBytes(ISO_8859_1), false);
  }

  /** Whether the pool has a string that begins with {@code prefix}; ASCII only. */
  static boolean hasPrefix(byte[] classFile, String prefix) {
    return find(classFile, prefix.getBytes(ISO_8859_1), true);
  }

  private static boolean find(byte[] bytes, byte[] text, boolean prefix) {
    if (bytes.length < FIRST_ENTRY) {
      return false;
    }
    int entries = u2(bytes, 8);
    int at = FIRST_ENTRY;
    for (int i = 1; i < entries && at + 2 < bytes.length; i++) {
      switch (bytes[at]) {
        case 1 -> { // Utf8
          int length = u2(bytes, at + 1);
          if ((prefix ? length >= text.length : length == text.length)
              && startsWith(bytes, at + 3, text)) {
            return true;
          }
          at += 3 + length;
        }
        case 5, 6 -> { // Long and Double take two entries
          at += 9;
          i++;
        }
        case 7, 8, 16, 19, 20 -> at += 3; // Class, String, MethodType, Module, Package
        case 15 -> at += 4; // MethodHandle
        case 3, 4, 9, 10, 11, 12, 17, 18 -> at += 5; // numbers, members, NameAndType, dynamics
        default -> {
          return true; // a tag of a future class file: let the real parser decide
        }
      }
    }
    return false;
  }

  private static boolean startsWith(byte[] bytes, int at, byte[] text) {
    if (at + text.length > bytes.length) {
      return false;
    }
    for (int i = 0; i < text.length; i++) {
      if (bytes[at + i] != text[i]) {
        return false;
      }
    }
    return true;
  }

  private static int u2(byte[] bytes, int at) {
    return (bytes[at] & 0xff) << 8 | bytes[at + 1] & 0xff;
  }
}
