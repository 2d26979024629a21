package io.camhook.recording;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Arrays;

/**
 * The 512-byte header of an entry of a POSIX ustar archive: only the part of the format that a
 * shard needs.
 *
 * @param name name of the entry, ASCII, at most 100 characters
 * @param size bytes of the entry's data
 * @param type {@code '0'} for a regular file
 */
record TarHeader(String name, long size, char type) {
  /** Headers and data are padded to multiples of this. */
  static final int BLOCK = 512;

  /** Two blocks of zeros end an archive. */
  static final int END_BYTES = 2 * BLOCK;

  private static final int NAME_LENGTH = 100;
  private static final int MODE = 100;
  private static final int UID = 108;
  private static final int GID = 116;
  private static final int SIZE = 124;
  private static final int MTIME = 136;
  private static final int CHECKSUM = 148;
  private static final int CHECKSUM_LENGTH = 8;
  private static final int TYPE = 156;
  private static final int MAGIC = 257;
  private static final byte[] USTAR = "ustar\00000".getBytes(StandardCharsets.US_ASCII);

  /** Largest size that fits the eleven octal digits; beyond it GNU's binary form is used. */
  private static final long MAX_OCTAL = (1L << 33) - 1;

  static long padded(long size) {
    return Math.addExact(size, BLOCK - 1) / BLOCK * BLOCK;
  }

  /** The header block of a regular file. */
  static byte[] write(String name, long size, Instant modified) {
    byte[] block = new byte[BLOCK];
    byte[] ascii = name.getBytes(StandardCharsets.US_ASCII);
    if (ascii.length > NAME_LENGTH) {
      throw new IllegalArgumentException("name of a tar entry is too long: " + name);
    }
    System.arraycopy(ascii, 0, block, 0, ascii.length);
    octal(block, MODE, 7, 0644);
    octal(block, UID, 7, 0);
    octal(block, GID, 7, 0);
    if (size <= MAX_OCTAL) {
      octal(block, SIZE, 11, size);
    } else {
      ByteBuffer.wrap(block).putLong(SIZE + 4, size);
      block[SIZE] = (byte) 0x80;
    }
    octal(block, MTIME, 11, Math.max(0, Math.min(MAX_OCTAL, modified.getEpochSecond())));
    block[TYPE] = '0';
    System.arraycopy(USTAR, 0, block, MAGIC, USTAR.length);
    octal(block, CHECKSUM, 6, checksum(block));
    block[CHECKSUM + 7] = ' ';
    return block;
  }

  private static void octal(byte[] block, int at, int digits, long value) {
    for (int i = at + digits - 1; i >= at; i--) {
      block[i] = (byte) ('0' + (value & 7));
      value >>>= 3;
    }
  }

  /** Sum of all bytes, the checksum's own counting as spaces. */
  private static int checksum(byte[] block) {
    int sum = CHECKSUM_LENGTH * ' ';
    for (int i = 0; i < BLOCK; i++) {
      if (i < CHECKSUM || i >= CHECKSUM + CHECKSUM_LENGTH) {
        sum += block[i] & 0xff;
      }
    }
    return sum;
  }

  /** Whether {@code block} is all zeros, as at the end of an archive. */
  static boolean isEnd(byte[] block) {
    for (byte b : block) {
      if (b != 0) {
        return false;
      }
    }
    return true;
  }

  /**
   * Reads a header block of any writer of tar.
   *
   * @throws RecordingException if it is not a header, or its checksum is wrong
   */
  static TarHeader read(byte[] block, String where) throws RecordingException {
    if (!Arrays.equals(block, MAGIC, MAGIC + 5, USTAR, 0, 5)) {
      throw RecordingException.at(where, "a tar header", "other bytes");
    }
    long checksum = number(block, CHECKSUM, CHECKSUM_LENGTH, where);
    if (checksum != checksum(block)) {
      throw RecordingException.at(where, "a tar header with checksum " + checksum, checksum(block));
    }
    int nameEnd = 0;
    while (nameEnd < NAME_LENGTH && block[nameEnd] != 0) {
      nameEnd++;
    }
    String name = new String(block, 0, nameEnd, StandardCharsets.US_ASCII);
    long size = number(block, SIZE, 12, where);
    char type = block[TYPE] == 0 ? '0' : (char) block[TYPE];
    return new TarHeader(name, size, type);
  }

  private static long number(byte[] block, int at, int length, String where)
      throws RecordingException {
    if (block[at] == (byte) 0x80) {
      long value = ByteBuffer.wrap(block).getLong(at + length - 8);
      if (value >= 0) {
        return value;
      }
    } else {
      String digits = new String(block, at, length, StandardCharsets.US_ASCII).split("\0", 2)[0];
      try {
        long value = Long.parseLong(digits.strip(), 8);
        if (value >= 0) {
          return value;
        }
      } catch (NumberFormatException e) {
        // reported below, together with sizes out of range
      }
    }
    throw RecordingException.at(where, "a number in a tar header", "other bytes");
  }
}
