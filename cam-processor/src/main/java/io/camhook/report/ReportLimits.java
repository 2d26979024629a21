package io.camhook.report;

/**
 * How much of a capture goes into the file.
 *
 * @param pictureSide longest side of a picture in pixels; larger ones are shrunk
 * @param channels channel maps kept of a layer
 * @param channelSide longest side of a channel map in cells; larger ones are averaged down
 */
public record ReportLimits(int pictureSide, int channels, int channelSide) {
  public static final ReportLimits DEFAULT = new ReportLimits(512, 64, 28);
}
