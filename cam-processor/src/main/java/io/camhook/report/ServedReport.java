package io.camhook.report;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A report that is served in pieces, also while it grows: the index is in memory, and captures are
 * in a temporary file that is deleted with the process. Thread-safe.
 */
public final class ServedReport implements Closeable {
  private static final int THUMBNAIL_SIDE = 80;

  private final ReportIndex index;
  private final ReportLimits limits;
  private final FileChannel blocks;
  private final List<Long> starts = new ArrayList<>();
  private final List<byte[]> thumbnails = new ArrayList<>();

  /** Offsets of whole blocks of thumbnails; the last one, which is not whole, is in memory. */
  private final Map<Integer, long[]> thumbnailBlocks = new LinkedHashMap<>();

  private long end;

  /** Begins an empty report. */
  public ServedReport(ReportInfo info, ReportLimits limits) throws IOException {
    this.index = new ReportIndex(info);
    this.limits = limits;
    Path file = Files.createTempFile("camhook-report-", ".blocks");
    this.blocks =
        FileChannel.open(
            file,
            StandardOpenOption.READ,
            StandardOpenOption.WRITE,
            StandardOpenOption.DELETE_ON_CLOSE);
  }

  /** Updates statistics, the table or the sources while no reader is active. */
  public interface Change {
    void on(LayerStatistics statistics) throws IOException;
  }

  /** Appends a capture, and then does {@code change}, which may call {@link #size}. */
  public void add(ReportCapture capture, Change change) throws IOException {
    byte[] json = new CaptureBlock(capture, limits).json();
    Map<String, HeatmapThumbnails.Small> heats = HeatmapThumbnails.of(capture);
    byte[] thumbnail = ReportIndex.thumbnail(capture, heats, THUMBNAIL_SIDE);
    synchronized (this) {
      starts.add(append(json));
      thumbnails.add(thumbnail);
      if (thumbnails.size() == ReportIndex.THUMBNAILS_PER_BLOCK) {
        long from = append(ReportIndex.thumbnails(thumbnails));
        thumbnailBlocks.put(thumbnailBlocks.size(), new long[] {from, end});
        thumbnails.clear();
      }
      index.add(capture, heats);
      change.on(index.statistics());
    }
  }

  /** Number of captures so far. */
  public synchronized int size() {
    return index.size();
  }

  /** Changes the statistics. */
  public synchronized void change(Change change) throws IOException {
    change.on(index.statistics());
  }

  /** Sets the sources of the captures seen so far. */
  public synchronized void sources(List<ReportSource> sources) {
    index.sources(sources);
  }

  /** Sets the table under "Methods". */
  public synchronized void metrics(MetricsTable table) {
    index.metrics(table);
  }

  /**
   * The whole page.
   *
   * @param path below which it requests its data: letters, digits and slashes
   */
  public String page(String path) throws IOException {
    String title;
    synchronized (this) {
      title = index.title();
    }
    return ReportPage.load().served(title, path);
  }

  /**
   * A piece of data as JSON in UTF-8: {@code index}, capture {@code c12}, thumbnails {@code t3}.
   *
   * @param from for the index: the first row to return
   * @return null if there is none
   */
  public synchronized byte @Nullable [] data(String name, int from) throws IOException {
    if (name.equals("index")) {
      return index.json(Math.max(0, from));
    }
    if (!name.matches("[ct][0-9]{1,9}")) {
      return null;
    }
    int number = Integer.parseInt(name.substring(1));
    if (name.charAt(0) == 'c') {
      return number < starts.size() ? read(starts.get(number)) : null;
    }
    long[] block = thumbnailBlocks.get(number);
    if (block != null) {
      return read(block[0]);
    }
    return number == thumbnailBlocks.size() ? ReportIndex.thumbnails(thumbnails) : null;
  }

  /** Writes a text after its length; returns its offset. */
  private long append(byte[] bytes) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(4 + bytes.length).putInt(bytes.length).put(bytes);
    buffer.flip();
    long start = end;
    while (buffer.hasRemaining()) {
      end += blocks.write(buffer, end);
    }
    return start;
  }

  private byte[] read(long start) throws IOException {
    ByteBuffer length = ByteBuffer.allocate(4);
    fill(length, start);
    ByteBuffer bytes = ByteBuffer.allocate(length.getInt(0));
    fill(bytes, start + 4);
    return bytes.array();
  }

  private void fill(ByteBuffer buffer, long at) throws IOException {
    while (buffer.hasRemaining()) {
      int read = blocks.read(buffer, at + buffer.position());
      if (read < 0) {
        throw new IOException("the temporary file of the report was cut off at " + at);
      }
    }
  }

  @Override
  public void close() throws IOException {
    blocks.close();
  }
}
