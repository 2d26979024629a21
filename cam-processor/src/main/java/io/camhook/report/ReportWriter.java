package io.camhook.report;

import java.io.BufferedOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Writes a report: one HTML file that opens from {@code file://} and makes no network requests.
 *
 * <p>The page, its index, the first capture and its code come first in the file, the other captures
 * after them, each in an inert {@code <script>} element of its own that is decoded when the capture
 * is opened. So a browser shows the list and the first capture before it has read the others, and
 * the time to open hardly grows with their number.
 *
 * <p>Captures are written as they are added and not kept; {@link #finish} puts the file in place. A
 * writer that is closed before that leaves no file. Not thread-safe.
 */
public final class ReportWriter implements Closeable {
  private static final int THUMBNAIL_SIDE = 80;
  private static final int BUFFER = 1 << 18;
  private static final byte[] ELEMENT_END = "</script>\n".getBytes(StandardCharsets.US_ASCII);

  private final Path file;
  private final ReportLimits limits;
  private final Path part;
  private final OutputStream blocks;
  private final ReportIndex index;
  private final List<byte[]> thumbnails = new ArrayList<>();

  /** Bytes of {@link #part} so far. */
  private long written;

  /** In {@link #part}: where the first capture ends, and where the first thumbnails are. */
  private long firstCapture;

  private long thumbnailsFrom;
  private long thumbnailsTo;

  /**
   * Begins a report.
   *
   * @param file where it goes; replaced when the report is finished
   * @throws IOException if the folder of {@code file} cannot be written
   */
  public ReportWriter(Path file, ReportInfo info, ReportLimits limits) throws IOException {
    this.file = file.toAbsolutePath();
    this.index = new ReportIndex(info);
    this.limits = limits;
    this.part = Path.of(this.file + ".part");
    Files.createDirectories(this.file.getParent());
    this.blocks = new BufferedOutputStream(Files.newOutputStream(part), BUFFER);
  }

  /** Appends a capture. */
  public void add(ReportCapture capture) throws IOException {
    add(prepare(capture));
  }

  /** A capture with its pictures encoded, which is the slow part. */
  public static final class Prepared {
    private final ReportCapture capture;
    private final byte[] block;
    private final Map<String, HeatmapThumbnails.Small> heats;
    private final byte[] thumbnail;

    private Prepared(
        ReportCapture capture,
        byte[] block,
        Map<String, HeatmapThumbnails.Small> heats,
        byte[] thumbnail) {
      this.capture = capture;
      this.block = block;
      this.heats = heats;
      this.thumbnail = thumbnail;
    }
  }

  /** Encodes a capture; any number of threads may do so at once. */
  public Prepared prepare(ReportCapture capture) {
    Map<String, HeatmapThumbnails.Small> heats = HeatmapThumbnails.of(capture);
    return new Prepared(
        capture,
        new CaptureBlock(capture, limits).json(),
        heats,
        ReportIndex.thumbnail(capture, heats, THUMBNAIL_SIDE));
  }

  /** Adds a capture that {@link #prepare} encoded. */
  public void add(Prepared prepared) throws IOException {
    int number = index.size();
    block("c" + number, prepared.block);
    if (number == 0) {
      firstCapture = written;
    }
    index.add(prepared.capture, prepared.heats);
    thumbnails.add(prepared.thumbnail);
    if (thumbnails.size() == ReportIndex.THUMBNAILS_PER_BLOCK) {
      flushThumbnails();
    }
  }

  /** Number of captures added. */
  public int size() {
    return index.size();
  }

  /** Statistics to show under "Model"; fill them before {@link #finish}. */
  public LayerStatistics statistics() {
    return index.statistics();
  }

  /** Sets the table under "Methods". */
  public void metrics(MetricsTable table) {
    index.metrics(table);
  }

  /** Sets the sources of the captures, for provenance and health under "Overview". */
  public void sources(List<ReportSource> sources) {
    index.sources(sources);
  }

  /** Pairs the captures of the first two sources that have the same input. */
  public void compare() {
    index.compare();
  }

  /** Completes the file and puts it in place, replacing an older one in one step. */
  public void finish() throws IOException {
    flushThumbnails();
    blocks.close();
    Path whole = Path.of(file + ".whole");
    try {
      try (FileChannel in = FileChannel.open(part);
          FileChannel out =
              FileChannel.open(
                  whole,
                  StandardOpenOption.CREATE,
                  StandardOpenOption.TRUNCATE_EXISTING,
                  StandardOpenOption.WRITE)) {
        ReportPage page = ReportPage.load();
        write(out, page.head(index.title()));
        write(out, elementStart("index"));
        write(out, index.json());
        write(out, ELEMENT_END);
        copy(in, 0, firstCapture, out);
        copy(in, thumbnailsFrom, thumbnailsTo, out);
        write(out, page.script());
        copy(in, firstCapture, thumbnailsFrom, out);
        copy(in, thumbnailsTo, in.size(), out);
        write(out, page.foot());
      }
      Files.move(whole, file, StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(whole);
    }
  }

  private static void write(FileChannel out, String text) throws IOException {
    write(out, text.getBytes(StandardCharsets.UTF_8));
  }

  private static void write(FileChannel out, byte[] text) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(text);
    while (bytes.hasRemaining()) {
      out.write(bytes);
    }
  }

  private static void copy(FileChannel in, long from, long to, FileChannel out) throws IOException {
    for (long at = from; at < to; ) {
      at += in.transferTo(at, to - at, out);
    }
  }

  /** Removes what an unfinished report left behind. */
  @Override
  public void close() throws IOException {
    blocks.close();
    Files.deleteIfExists(part);
  }

  private void flushThumbnails() throws IOException {
    if (thumbnails.isEmpty()) {
      return;
    }
    int number = (index.size() - 1) / ReportIndex.THUMBNAILS_PER_BLOCK;
    if (number == 0) {
      thumbnailsFrom = written;
    }
    block("t" + number, ReportIndex.thumbnails(thumbnails));
    thumbnails.clear();
    if (number == 0) {
      thumbnailsTo = written;
    }
  }

  private void block(String id, byte[] json) throws IOException {
    byte[] before = elementStart(id).getBytes(StandardCharsets.US_ASCII);
    blocks.write(before);
    blocks.write(json);
    blocks.write(ELEMENT_END);
    written += before.length + json.length + ELEMENT_END.length;
  }

  private static String elementStart(String id) {
    return "<script type=\"application/json\" id=\"" + id + "\">";
  }
}
