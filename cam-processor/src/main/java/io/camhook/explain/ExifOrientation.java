package io.camhook.explain;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** The orientation of the camera: tag 0x0112 of the EXIF data in a JPEG file. */
final class ExifOrientation {
  private static final int UPRIGHT = 1;
  private static final int START_OF_SCAN = 0xDA;
  private static final int APP1 = 0xE1;
  private static final int TAG = 0x0112;

  private ExifOrientation() {}

  /** 1 (upright) to 8; 1 for files without the tag. */
  static int of(byte[] file) {
    ByteBuffer in = ByteBuffer.wrap(file);
    try {
      if (in.remaining() < 4 || in.getShort() != (short) 0xFFD8) {
        return UPRIGHT;
      }
      while (in.remaining() > 4) {
        int marker = in.getShort() & 0xffff;
        int length = (in.getShort() & 0xffff) - 2;
        if (marker >> 8 != 0xFF || (marker & 0xff) == START_OF_SCAN || length < 0) {
          return UPRIGHT;
        }
        ByteBuffer segment = in.slice();
        segment.limit(Math.min(length, segment.capacity()));
        if ((marker & 0xff) == APP1 && length > 14 && segment.getInt(0) == 0x45786966) { // Exif
          return inTiff(segment.position(6).slice());
        }
        in.position(Math.min(in.limit(), in.position() + length));
      }
    } catch (BufferUnderflowException | IndexOutOfBoundsException | IllegalArgumentException e) {
      return UPRIGHT; // damaged metadata; the picture itself may be intact
    }
    return UPRIGHT;
  }

  private static int inTiff(ByteBuffer tiff) {
    tiff.order(tiff.getShort(0) == 0x4949 ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN);
    int directory = tiff.getInt(4);
    int entries = tiff.getShort(directory) & 0xffff;
    for (int i = 0; i < entries; i++) {
      int entry = directory + 2 + 12 * i;
      if ((tiff.getShort(entry) & 0xffff) == TAG) {
        int orientation = tiff.getShort(entry + 8) & 0xffff;
        return orientation >= 1 && orientation <= 8 ? orientation : UPRIGHT;
      }
    }
    return UPRIGHT;
  }
}
