package io.camhook.recording;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The JSON header of a safetensors blob, parsed and checked against every rule of the format. */
final class SafetensorsHeader {
  /** Name under which the header keeps string metadata instead of a tensor. */
  static final String METADATA = "__metadata__";

  private static final JsonFactory JSON = new JsonFactory();

  private final Map<String, String> metadata = new LinkedHashMap<>();
  private final List<Entry> entries = new ArrayList<>();
  private final List<Entry> byOffset = new ArrayList<>();
  private final String where;

  /** One tensor's entry in the header; offsets count from the end of the header. */
  record Entry(String name, DType dtype, long[] shape, long begin, long end) {
    long length() {
      return end - begin;
    }
  }

  /** Gives the bytes of an entry; called in the order of the offsets. */
  interface Bodies<E extends Exception> {
    ByteBuffer bytes(Entry entry) throws E;
  }

  private SafetensorsHeader(String where) {
    this.where = where;
  }

  /** Checks the length that a blob of {@code size} bytes begins with. */
  static int checkLength(long headerBytes, long size, String where) throws RecordingException {
    if (headerBytes < 2 || headerBytes > Safetensors.MAX_HEADER_BYTES) {
      throw RecordingException.at(
          where,
          "a header of 2 to " + Safetensors.MAX_HEADER_BYTES + " bytes",
          Long.toUnsignedString(headerBytes));
    }
    if (headerBytes > size - Safetensors.PREFIX_BYTES) {
      throw RecordingException.at(
          where,
          "a header of " + headerBytes + " bytes",
          "only " + (size - Safetensors.PREFIX_BYTES) + " bytes");
    }
    return (int) headerBytes;
  }

  static SafetensorsHeader parse(ByteBuffer utf8, String where) throws RecordingException {
    CharBuffer text;
    try {
      text = StandardCharsets.UTF_8.newDecoder().decode(utf8.duplicate());
    } catch (CharacterCodingException e) {
      throw new RecordingException(where + ": the header is not UTF-8", e);
    }
    if (text.charAt(0) != '{') {
      throw RecordingException.at(
          where, "a header that begins with '{'", "'" + text.charAt(0) + "'");
    }
    SafetensorsHeader header = new SafetensorsHeader(where);
    try (JsonParser in = JSON.createParser(text.array(), text.arrayOffset(), text.length())) {
      header.parse(in);
    } catch (RecordingException e) {
      throw e;
    } catch (JsonProcessingException e) {
      throw new RecordingException(
          where + ": the header is not well-formed JSON: " + e.getOriginalMessage(), e);
    } catch (IOException e) {
      throw new RecordingException(where + ": the header cannot be read: " + e.getMessage(), e);
    }
    header.checkContiguous();
    return header;
  }

  private void parse(JsonParser in) throws IOException {
    in.nextToken();
    Set<String> names = new HashSet<>();
    while (in.nextToken() == JsonToken.FIELD_NAME) {
      String name = in.currentName();
      if (!names.add(name)) {
        throw RecordingException.at(where, "unique names", "'" + name + "' twice");
      }
      expect(in, JsonToken.START_OBJECT, "an object for '" + name + "'");
      if (name.equals(METADATA)) {
        parseMetadata(in);
      } else {
        entries.add(parseEntry(in, name));
      }
    }
    if (in.nextToken() != null) {
      throw RecordingException.at(where, "nothing after the header's object", in.currentToken());
    }
  }

  private void parseMetadata(JsonParser in) throws IOException {
    while (in.nextToken() == JsonToken.FIELD_NAME) {
      String key = in.currentName();
      expect(in, JsonToken.VALUE_STRING, "a string for metadata '" + key + "'");
      if (metadata.put(key, in.getText()) != null) {
        throw RecordingException.at(where, "unique metadata", "'" + key + "' twice");
      }
    }
  }

  private Entry parseEntry(JsonParser in, String name) throws IOException {
    String dtype = null;
    long[] shape = null;
    long[] offsets = null;
    Set<String> keys = new HashSet<>();
    while (in.nextToken() == JsonToken.FIELD_NAME) {
      String key = in.currentName();
      if (!keys.add(key)) {
        throw RecordingException.at(where, "unique keys in '" + name + "'", "'" + key + "' twice");
      }
      switch (key) {
        case "dtype" -> {
          expect(in, JsonToken.VALUE_STRING, "a string for dtype of '" + name + "'");
          dtype = in.getText();
        }
        case "shape" -> shape = parseLongs(in, "shape of '" + name + "'");
        case "data_offsets" -> offsets = parseLongs(in, "data_offsets of '" + name + "'");
        default ->
            throw RecordingException.at(
                where, "dtype, shape, data_offsets in '" + name + "'", "'" + key + "'");
      }
    }
    if (dtype == null || shape == null || offsets == null) {
      throw RecordingException.at(where, "dtype, shape, data_offsets in '" + name + "'", keys);
    }
    return checked(name, dtype, shape, offsets);
  }

  private Entry checked(String name, String dtypeName, long[] shape, long[] offsets)
      throws RecordingException {
    DType dtype = dtype(dtypeName);
    if (dtype == null) {
      throw RecordingException.at(
          where,
          "a dtype of " + Arrays.toString(DType.values()) + " for '" + name + "'",
          dtypeName);
    }
    if (offsets.length != 2 || offsets[1] < offsets[0]) {
      throw RecordingException.at(
          where, "data_offsets [begin, end] of '" + name + "'", Arrays.toString(offsets));
    }
    long bytes;
    try {
      bytes = Math.multiplyExact(Tensor.elements(shape), dtype.bytes());
    } catch (ArithmeticException e) {
      throw RecordingException.at(
          where, "a shape of '" + name + "' below 2^63 bytes", Arrays.toString(shape));
    }
    if (bytes != offsets[1] - offsets[0]) {
      throw RecordingException.at(
          where,
          bytes + " bytes for '" + name + "' " + dtype + Arrays.toString(shape),
          "data_offsets " + Arrays.toString(offsets));
    }
    if (bytes > Integer.MAX_VALUE - 8) {
      throw RecordingException.at(where, "less than 2 GiB for '" + name + "'", bytes + " bytes");
    }
    return new Entry(name, dtype, shape, offsets[0], offsets[1]);
  }

  private static @Nullable DType dtype(String name) {
    for (DType dtype : DType.values()) {
      if (dtype.name().equals(name)) {
        return dtype;
      }
    }
    return null;
  }

  private long[] parseLongs(JsonParser in, String what) throws IOException {
    expect(in, JsonToken.START_ARRAY, "an array for " + what);
    long[] values = new long[4];
    int n = 0;
    while (in.nextToken() != JsonToken.END_ARRAY) {
      if (in.currentToken() != JsonToken.VALUE_NUMBER_INT) {
        throw RecordingException.at(where, "integers in " + what, in.getText());
      }
      long value = in.getLongValue();
      if (value < 0) {
        throw RecordingException.at(where, "no negative number in " + what, value);
      }
      if (n == values.length) {
        values = Arrays.copyOf(values, 2 * n);
      }
      values[n++] = value;
    }
    return Arrays.copyOf(values, n);
  }

  private void expect(JsonParser in, JsonToken token, String expected) throws IOException {
    if (in.nextToken() != token) {
      throw RecordingException.at(where, expected, in.currentToken());
    }
  }

  /** Tensors follow each other without gap or overlap, from offset 0. */
  private void checkContiguous() throws RecordingException {
    byOffset.addAll(entries);
    byOffset.sort(Comparator.comparingLong(Entry::begin).thenComparingLong(Entry::end));
    long end = 0;
    for (Entry entry : byOffset) {
      if (entry.begin() != end) {
        throw RecordingException.at(
            where,
            "tensor '" + entry.name() + "' to begin at " + end + ", where the one before ends",
            entry.begin());
      }
      end = entry.end();
    }
  }

  void checkDataLength(long found) throws RecordingException {
    long expected = byOffset.isEmpty() ? 0 : byOffset.get(byOffset.size() - 1).end();
    if (found != expected) {
      throw RecordingException.at(where, expected + " bytes of tensors", found);
    }
  }

  /** The blob, with bodies fetched in the order of their offsets. */
  <E extends Exception> Safetensors withBodies(Bodies<E> bodies) throws E {
    Map<String, Tensor> read = new HashMap<>();
    for (Entry entry : byOffset) {
      read.put(entry.name(), new Tensor(entry.dtype(), entry.shape(), bodies.bytes(entry)));
    }
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    for (Entry entry : entries) {
      tensors.put(entry.name(), Objects.requireNonNull(read.get(entry.name())));
    }
    return new Safetensors(metadata, tensors);
  }
}
