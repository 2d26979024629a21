package io.camhook.torchscript.archive;

/**
 * One record of a zip central directory.
 *
 * @param name full name inside the zip, with the archive's own prefix
 * @param method 0 stored, 8 deflated
 * @param crc CRC-32 of the inflated bytes
 * @param compressedSize bytes in the file
 * @param size bytes after inflating, as declared
 * @param headerOffset where the local header begins
 * @param header the raw bytes of the central directory record, to be copied unchanged
 */
public record ZipEntryRecord(
    String name,
    int method,
    long crc,
    long compressedSize,
    long size,
    long headerOffset,
    byte[] header) {}
