package io.camhook.torchscript.archive;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/**
 * The central directory of a zip, read strictly: no duplicate, absolute or escaping names, every
 * record inside the file, zip64 where a weight file needs it. Entry data is read on demand; weights
 * are never read.
 */
public final class ZipDirectory {
  /** No TorchScript source or pickle of a real model is nearly this large; a zip bomb is. */
  static final int MAX_TEXT_ENTRY = 64 << 20;

  private static final int MAX_ENTRIES = 1_000_000;
  private static final int MAX_DIRECTORY = 256 << 20;
  private static final int END = 0x06054b50;
  private static final int END64 = 0x06064b50;
  private static final int END64_LOCATOR = 0x07064b50;
  private static final int CENTRAL = 0x02014b50;
  private static final int LOCAL = 0x04034b50;

  private final String file;
  private final FileChannel channel;
  private final long offset;
  private final Map<String, ZipEntryRecord> entries = new LinkedHashMap<>();

  private ZipDirectory(String file, FileChannel channel) throws IOException {
    this.file = file;
    this.channel = channel;
    long size = channel.size();
    int tailLength = (int) Math.min(size, 22 + 65535);
    ByteBuffer tail = read(size - tailLength, tailLength);
    int end = tailLength - 22;
    while (end >= 0 && tail.getInt(end) != END) {
      end--;
    }
    if (end < 0) {
      throw bad("no end-of-directory record: the file is not a zip, or it is truncated");
    }
    long count = tail.getShort(end + 10) & 0xffff;
    long length = tail.getInt(end + 12) & 0xffffffffL;
    long start = tail.getInt(end + 16) & 0xffffffffL;
    int locator = end - 20;
    if (locator >= 0 && tail.getInt(locator) == END64_LOCATOR) {
      ByteBuffer end64 = read(tail.getLong(locator + 8), 56);
      if (end64.getInt(0) != END64) {
        throw bad("damaged zip64 end-of-directory record");
      }
      count = end64.getLong(32);
      length = end64.getLong(40);
      start = end64.getLong(48);
    }
    if (count < 0 || count > MAX_ENTRIES || length < 0 || length > MAX_DIRECTORY) {
      throw bad("directory of " + count + " entries in " + length + " bytes is not plausible");
    }
    this.offset = start;
    parse(read(start, (int) length), count);
  }

  public static ZipDirectory read(String file, FileChannel channel) throws IOException {
    return new ZipDirectory(file, channel);
  }

  /** Every record, in the order of the directory. */
  public Map<String, ZipEntryRecord> entries() {
    return entries;
  }

  /** Where the directory begins: everything before it is entry data. */
  long offset() {
    return offset;
  }

  /** The inflated bytes of a source or pickle entry, checked against declared size and CRC. */
  public byte[] bytes(ZipEntryRecord entry) throws IOException {
    if (entry.size() > MAX_TEXT_ENTRY || entry.compressedSize() > MAX_TEXT_ENTRY) {
      throw bad(
          entry.name()
              + " declares "
              + entry.size()
              + " bytes; at most "
              + MAX_TEXT_ENTRY
              + " are accepted");
    }
    ByteBuffer local = read(entry.headerOffset(), 30);
    if (local.getInt(0) != LOCAL) {
      throw bad("no local header where the directory says " + entry.name() + " begins");
    }
    long data =
        entry.headerOffset() + 30 + (local.getShort(26) & 0xffff) + (local.getShort(28) & 0xffff);
    byte[] raw = read(data, (int) entry.compressedSize()).array();
    byte[] inflated = entry.method() == 0 ? raw : inflate(raw, entry);
    CRC32 crc = new CRC32();
    crc.update(inflated);
    if (inflated.length != entry.size() || crc.getValue() != entry.crc()) {
      throw bad(entry.name() + " is damaged: size or CRC differ from the directory");
    }
    return inflated;
  }

  private byte[] inflate(byte[] raw, ZipEntryRecord entry) throws ArchiveException {
    // Deflate reaches about 1032:1 at most; memory for a larger claim is not allocated.
    if (entry.size() > 1100L * raw.length + 64) {
      throw bad(entry.name() + " declares a size that deflate cannot reach");
    }
    byte[] out = new byte[(int) entry.size()];
    Inflater inflater = new Inflater(true);
    try {
      inflater.setInput(raw);
      int n = 0;
      while (n < out.length) {
        int step = inflater.inflate(out, n, out.length - n);
        if (step == 0) {
          break;
        }
        n += step;
      }
      if (n != out.length || (inflater.inflate(new byte[1]) != 0)) {
        throw bad(entry.name() + " does not inflate to its declared size");
      }
      return out;
    } catch (DataFormatException e) {
      throw new ArchiveException(file + ": " + entry.name() + " is damaged: " + e.getMessage(), e);
    } finally {
      inflater.end();
    }
  }

  private void parse(ByteBuffer directory, long count) throws ArchiveException {
    int at = 0;
    for (long i = 0; i < count; i++) {
      if (directory.limit() - at < 46 || directory.getInt(at) != CENTRAL) {
        throw bad("directory record " + i + " of " + count + " is damaged");
      }
      int nameLength = directory.getShort(at + 28) & 0xffff;
      int extraLength = directory.getShort(at + 30) & 0xffff;
      int total = 46 + nameLength + extraLength + (directory.getShort(at + 32) & 0xffff);
      if (directory.limit() - at < total) {
        throw bad("directory record " + i + " of " + count + " is cut off");
      }
      byte[] header = new byte[total];
      directory.get(at, header);
      add(header, nameLength, extraLength);
      at += total;
    }
  }

  private void add(byte[] header, int nameLength, int extraLength) throws ArchiveException {
    ByteBuffer record = ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN);
    String name = new String(header, 46, nameLength, StandardCharsets.UTF_8);
    checkName(name);
    int flags = record.getShort(8);
    int method = record.getShort(10) & 0xffff;
    if ((flags & 1) != 0 || (method != 0 && method != 8)) {
      throw bad(name + " is encrypted or compressed by an unknown method " + method);
    }
    long[] wide = {
      record.getInt(24) & 0xffffffffL, // size
      record.getInt(20) & 0xffffffffL, // compressed size
      record.getInt(42) & 0xffffffffL // header offset
    };
    widen(record, 46 + nameLength, extraLength, wide, name);
    ZipEntryRecord entry =
        new ZipEntryRecord(
            name, method, record.getInt(16) & 0xffffffffL, wide[1], wide[0], wide[2], header);
    if (wide[1] < 0 || wide[0] < 0 || wide[2] < 0 || wide[2] + 30 + wide[1] > offset) {
      throw bad(name + " lies outside of the file: it is truncated or damaged");
    }
    if (method == 0 && wide[0] != wide[1]) {
      throw bad(name + " is stored, but its two sizes differ");
    }
    if (entries.put(name, entry) != null) {
      throw bad("two entries are called " + name);
    }
  }

  private void widen(ByteBuffer record, int extra, int length, long[] wide, String name)
      throws ArchiveException {
    int end = extra + length;
    while (end - extra >= 4) {
      int id = record.getShort(extra) & 0xffff;
      int size = record.getShort(extra + 2) & 0xffff;
      int at = extra + 4;
      extra = at + size;
      if (extra > end) {
        throw bad(name + " has a damaged extra field");
      }
      if (id == 1) {
        for (int i = 0; i < wide.length; i++) {
          if (wide[i] == 0xffffffffL && extra - at >= 8) {
            wide[i] = record.getLong(at);
            at += 8;
          }
        }
      }
    }
  }

  private void checkName(String name) throws ArchiveException {
    boolean escapes =
        name.isEmpty()
            || name.startsWith("/")
            || name.indexOf('\\') >= 0
            || name.indexOf('\0') >= 0
            || ("/" + name + "/").contains("/../");
    if (escapes) {
      throw bad("entry name '" + name.replace('\0', '?') + "' points outside of the archive");
    }
  }

  private ByteBuffer read(long position, int length) throws IOException {
    if (position < 0 || position + length > channel.size()) {
      throw bad("a record lies outside of the file: it is truncated or damaged");
    }
    ByteBuffer buffer = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
    while (buffer.hasRemaining()) {
      if (channel.read(buffer, position + buffer.position()) < 0) {
        throw bad("the file ended while it was read");
      }
    }
    return buffer.flip();
  }

  private ArchiveException bad(String what) {
    return new ArchiveException(file + ": " + what);
  }
}
