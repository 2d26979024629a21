package io.camhook.recording;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.WritableByteChannel;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.zip.CRC32C;

/**
 * The layout of a blob to be written. Tensors with wide elements come first and the header is
 * padded to a multiple of 8, so that every tensor is aligned for readers that map the file.
 */
final class SafetensorsLayout {
  /** Bytes moved by one write or read: small enough to stay in the processor's cache. */
  static final int CHUNK_BYTES = 1 << 18;

  private static final JsonFactory JSON = new JsonFactory();

  private final List<Tensor> inOrder;
  private final ByteBuffer header;
  private final long dataBytes;

  SafetensorsLayout(Map<String, String> metadata, Map<String, Tensor> tensors) {
    List<Map.Entry<String, Tensor>> order = order(tensors);
    Map<String, Long> begins = new HashMap<>();
    inOrder = new ArrayList<>(order.size());
    long end = 0;
    for (Map.Entry<String, Tensor> entry : order) {
      begins.put(entry.getKey(), end);
      end += entry.getValue().byteSize();
      inOrder.add(entry.getValue());
    }
    dataBytes = end;
    header = header(metadata, tensors, begins);
  }

  /** CRC32C of the data section for these tensors, independent of the metadata. */
  static int crc32c(Map<String, Tensor> tensors) {
    CRC32C crc = new CRC32C();
    for (Map.Entry<String, Tensor> entry : order(tensors)) {
      entry.getValue().updateChecksum(crc);
    }
    return (int) crc.getValue();
  }

  private static List<Map.Entry<String, Tensor>> order(Map<String, Tensor> tensors) {
    List<Map.Entry<String, Tensor>> order = new ArrayList<>(tensors.entrySet());
    order.sort(Comparator.comparingInt(entry -> -entry.getValue().dtype().bytes()));
    return order;
  }

  /** Bytes of the whole blob. */
  long size() {
    return header.limit() + dataBytes;
  }

  /** The header with its length before it; a copy. */
  ByteBuffer header() {
    return ByteBuffer.wrap(header.array().clone()).order(ByteOrder.LITTLE_ENDIAN);
  }

  void write(WritableByteChannel channel) throws IOException {
    ByteBuffer start = header();
    while (start.hasRemaining()) {
      channel.write(start);
    }
    for (Tensor tensor : inOrder) {
      tensor.write(channel);
    }
  }

  /** The tensors in the order in which they follow the header. */
  List<Tensor> tensors() {
    return inOrder;
  }

  private static ByteBuffer header(
      Map<String, String> metadata, Map<String, Tensor> tensors, Map<String, Long> begins) {
    ByteArrayOutputStream out = new ByteArrayOutputStream(1024);
    out.writeBytes(new byte[Safetensors.PREFIX_BYTES]);
    try (JsonGenerator json = JSON.createGenerator(out)) {
      json.writeStartObject();
      if (!metadata.isEmpty()) {
        json.writeObjectFieldStart(SafetensorsHeader.METADATA);
        for (Map.Entry<String, String> entry : metadata.entrySet()) {
          json.writeStringField(entry.getKey(), entry.getValue());
        }
        json.writeEndObject();
      }
      for (Map.Entry<String, Tensor> entry : tensors.entrySet()) {
        writeEntry(
            json,
            entry.getKey(),
            entry.getValue(),
            Objects.requireNonNull(begins.get(entry.getKey())));
      }
      json.writeEndObject();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    byte[] padding = new byte[(int) (TarHeader.padded(out.size()) - out.size())];
    Arrays.fill(padding, (byte) ' ');
    out.writeBytes(padding);
    int headerBytes = out.size() - Safetensors.PREFIX_BYTES;
    if (headerBytes > Safetensors.MAX_HEADER_BYTES) {
      throw new IllegalArgumentException(
          "safetensors header of "
              + headerBytes
              + " bytes is longer than the format's "
              + Safetensors.MAX_HEADER_BYTES);
    }
    ByteBuffer header = ByteBuffer.wrap(out.toByteArray()).order(ByteOrder.LITTLE_ENDIAN);
    return header.putLong(0, headerBytes);
  }

  private static void writeEntry(JsonGenerator json, String name, Tensor tensor, long begin)
      throws IOException {
    if (name.equals(SafetensorsHeader.METADATA)) {
      throw new IllegalArgumentException("a tensor cannot be named " + SafetensorsHeader.METADATA);
    }
    json.writeObjectFieldStart(name);
    json.writeStringField("dtype", tensor.dtype().name());
    json.writeFieldName("shape");
    long[] shape = tensor.shape();
    json.writeArray(shape, 0, shape.length);
    json.writeFieldName("data_offsets");
    json.writeArray(new long[] {begin, begin + tensor.byteSize()}, 0, 2);
    json.writeEndObject();
  }
}
