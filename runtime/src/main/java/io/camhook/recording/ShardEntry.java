package io.camhook.recording;

/**
 * Where a blob is in its shard.
 *
 * @param name name of the tar entry
 * @param offset byte of the entry's header
 * @param size bytes of the blob
 */
record ShardEntry(String name, long offset, long size) {
  static final String SUFFIX = ".safetensors";

  long dataOffset() {
    return offset + TarHeader.BLOCK;
  }

  /** Byte after the entry and its padding. */
  long end() {
    return dataOffset() + TarHeader.padded(size);
  }

  /** Id of the capture, as the entry's name has it. */
  String id() {
    return name.substring(0, name.length() - SUFFIX.length());
  }
}
