package io.camhook.torchscript.archive;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Set;
import java.util.zip.CRC32;
import java.util.zip.Deflater;

/**
 * Writes a changed copy of a zip: everything before the old directory is copied unchanged, so each
 * unchanged entry keeps its bytes, its offset and the 64-byte alignment that libtorch maps weights
 * by; new versions of entries follow, then a directory that points at them.
 */
final class ZipAppender {
  private static final long MAX32 = 0xffffffffL;
  private static final int ALIGNMENT = 64;

  private final FileChannel target;
  private final ByteArrayOutputStream directory = new ByteArrayOutputStream();
  private long position;
  private int count;

  private ZipAppender(FileChannel target) {
    this.target = target;
  }

  /**
   * Copies {@code source} to {@code target} with {@code changed} entries replaced or added and
   * {@code dropped} ones left out of the directory.
   */
  static void copy(
      ZipDirectory zip,
      FileChannel source,
      FileChannel target,
      Map<String, byte[]> changed,
      Set<String> dropped)
      throws IOException {
    ZipAppender out = new ZipAppender(target);
    while (out.position < zip.offset()) {
      long n = source.transferTo(out.position, zip.offset() - out.position, target);
      if (n <= 0) {
        throw new IOException("the archive became shorter while it was copied");
      }
      out.position += n;
    }
    for (ZipEntryRecord entry : zip.entries().values()) {
      byte[] bytes = changed.get(entry.name());
      if (bytes != null) {
        out.append(entry.name(), bytes);
      } else if (!dropped.contains(entry.name())) {
        out.directory.write(entry.header());
        out.count++;
      }
    }
    for (Map.Entry<String, byte[]> entry : changed.entrySet()) {
      if (!zip.entries().containsKey(entry.getKey())) {
        out.append(entry.getKey(), entry.getValue());
      }
    }
    out.finish();
  }

  private void append(String name, byte[] bytes) throws IOException {
    byte[] packed = deflate(bytes);
    CRC32 crc = new CRC32();
    crc.update(bytes);
    byte[] nameBytes = name.getBytes(StandardCharsets.UTF_8);
    int padding = (int) (-(position + 30 + nameBytes.length + 4) & (ALIGNMENT - 1));
    ByteBuffer local = little(30 + nameBytes.length + 4 + padding);
    local.putInt(0x04034b50);
    common(local, crc.getValue(), packed.length, bytes.length, nameBytes.length);
    local.putShort((short) (4 + padding)).put(nameBytes);
    local.putShort((short) 0x4246).putShort((short) padding); // "FB": libtorch's own padding field
    long headerOffset = position;
    write(local.position(local.capacity()).flip());
    write(ByteBuffer.wrap(packed));

    boolean wide = headerOffset >= MAX32;
    ByteBuffer central = little(46 + nameBytes.length + (wide ? 12 : 0));
    central.putInt(0x02014b50).putShort((short) 45);
    common(central, crc.getValue(), packed.length, bytes.length, nameBytes.length);
    central.putShort((short) (wide ? 12 : 0)).putShort((short) 0).putShort((short) 0);
    central.putShort((short) 0).putInt(0).putInt((int) (wide ? MAX32 : headerOffset));
    central.put(nameBytes);
    if (wide) {
      central.putShort((short) 1).putShort((short) 8).putLong(headerOffset);
    }
    directory.write(central.array());
    count++;
  }

  /** The fields that local header and directory share: versions, flags, method … name length. */
  private static void common(ByteBuffer header, long crc, int packed, int size, int name) {
    header.putShort((short) 45).putShort((short) 0x0800).putShort((short) 8);
    header.putShort((short) 0).putShort((short) 0x21); // 1980-01-01, as libtorch writes
    header.putInt((int) crc).putInt(packed).putInt(size).putShort((short) name);
  }

  private void finish() throws IOException {
    long start = position;
    write(ByteBuffer.wrap(directory.toByteArray()));
    long length = position - start;
    ByteBuffer end = little(56 + 20 + 22);
    if (start >= MAX32 || count >= 0xffff) {
      end.putInt(0x06064b50).putLong(44).putShort((short) 45).putShort((short) 45);
      end.putInt(0).putInt(0).putLong(count).putLong(count).putLong(length).putLong(start);
      end.putInt(0x07064b50).putInt(0).putLong(position).putInt(1);
    }
    short shortCount = (short) Math.min(count, 0xffff);
    end.putInt(0x06054b50).putShort((short) 0).putShort((short) 0);
    end.putShort(shortCount).putShort(shortCount).putInt((int) length);
    end.putInt((int) Math.min(start, MAX32)).putShort((short) 0);
    write(end.flip());
  }

  private void write(ByteBuffer buffer) throws IOException {
    while (buffer.hasRemaining()) {
      position += target.write(buffer);
    }
  }

  private static byte[] deflate(byte[] bytes) {
    Deflater deflater = new Deflater(Deflater.BEST_SPEED, true);
    deflater.setInput(bytes);
    deflater.finish();
    ByteArrayOutputStream out = new ByteArrayOutputStream(bytes.length / 3 + 64);
    byte[] chunk = new byte[8192];
    while (!deflater.finished()) {
      out.write(chunk, 0, deflater.deflate(chunk));
    }
    deflater.end();
    return out.toByteArray();
  }

  private static ByteBuffer little(int size) {
    return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
  }
}
