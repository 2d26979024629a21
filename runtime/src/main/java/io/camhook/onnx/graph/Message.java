package io.camhook.onnx.graph;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.UnknownFieldSet;
import java.io.IOException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * One protobuf message by its field numbers. Bytes fields are slices of the bytes that were parsed.
 * A repeated field follows protobuf's rules: the last number wins, and messages are merged.
 */
record Message(UnknownFieldSet fields) {

  static Message parse(ByteString bytes, String what) throws OnnxException {
    try {
      CodedInputStream in = bytes.newCodedInput();
      in.enableAliasing(true);
      UnknownFieldSet fields = UnknownFieldSet.parseFrom(in);
      return new Message(fields);
    } catch (InvalidProtocolBufferException e) {
      throw new OnnxException(
          "the file is not an ONNX model, or is cut short: " + what + ": " + oneLine(e), e);
    } catch (IOException e) {
      throw new OnnxException(what + ": " + oneLine(e), e);
    }
  }

  private static String oneLine(IOException e) {
    return String.valueOf(e.getMessage()).replace('\n', ' ').replaceAll("\\s+", " ").trim();
  }

  boolean has(int field) {
    return fields.hasField(field);
  }

  /** The message without some fields. */
  UnknownFieldSet without(int... numbers) {
    UnknownFieldSet.Builder builder = fields.toBuilder();
    for (int number : numbers) {
      builder.clearField(number);
    }
    return builder.build();
  }

  List<ByteString> bytes(int field) {
    return fields.getField(field).getLengthDelimitedList();
  }

  ByteString message(int field) {
    ByteString merged = ByteString.EMPTY;
    for (ByteString part : bytes(field)) {
      merged = merged.concat(part);
    }
    return merged;
  }

  String text(int field) {
    List<ByteString> all = bytes(field);
    return all.isEmpty() ? "" : all.get(all.size() - 1).toStringUtf8();
  }

  List<String> texts(int field) {
    return bytes(field).stream().map(ByteString::toStringUtf8).toList();
  }

  long number(int field, long otherwise) {
    List<Long> all = fields.getField(field).getVarintList();
    return all.isEmpty() ? otherwise : all.get(all.size() - 1);
  }

  float real(int field) {
    List<Integer> all = fields.getField(field).getFixed32List();
    return all.isEmpty() ? 0 : Float.intBitsToFloat(all.get(all.size() - 1));
  }

  /** Repeated integers, packed or not. */
  long[] numbers(int field, String what) throws OnnxException {
    UnknownFieldSet.Field found = fields.getField(field);
    long[] values = found.getVarintList().stream().mapToLong(Long::longValue).toArray();
    for (ByteString packed : found.getLengthDelimitedList()) {
      CodedInputStream in = packed.newCodedInput();
      long[] more = new long[packed.size()];
      int count = 0;
      try {
        while (!in.isAtEnd()) {
          more[count++] = in.readRawVarint64();
        }
      } catch (IOException e) {
        throw new OnnxException("the file is damaged: " + what + ": " + oneLine(e), e);
      }
      int start = values.length;
      values = Arrays.copyOf(values, start + count);
      System.arraycopy(more, 0, values, start, count);
    }
    return values;
  }

  /** Repeated floats, packed or not. */
  float[] reals(int field, String what) throws OnnxException {
    UnknownFieldSet.Field found = fields.getField(field);
    List<Integer> single = found.getFixed32List();
    int count = single.size();
    for (ByteString packed : found.getLengthDelimitedList()) {
      if (packed.size() % 4 != 0) {
        throw new OnnxException("the file is damaged: " + what + ": half a float");
      }
      count += packed.size() / 4;
    }
    float[] values = new float[count];
    int at = 0;
    for (int bits : single) {
      values[at++] = Float.intBitsToFloat(bits);
    }
    for (ByteString packed : found.getLengthDelimitedList()) {
      packed
          .asReadOnlyByteBuffer()
          .order(java.nio.ByteOrder.LITTLE_ENDIAN)
          .asFloatBuffer()
          .get(values, at, packed.size() / 4);
      at += packed.size() / 4;
    }
    return values;
  }

  /** Repeated {@code StringStringEntryProto}. */
  Map<String, String> entries(int field, String what) throws OnnxException {
    Map<String, String> entries = new LinkedHashMap<>();
    for (ByteString bytes : bytes(field)) {
      Message entry = parse(bytes, what);
      entries.put(entry.text(1), entry.text(2));
    }
    return entries;
  }

  static UnknownFieldSet.Field text(String value) {
    return bytes(ByteString.copyFromUtf8(value));
  }

  static UnknownFieldSet.Field bytes(ByteString value) {
    return UnknownFieldSet.Field.newBuilder().addLengthDelimited(value).build();
  }

  static UnknownFieldSet.Field number(long value) {
    return UnknownFieldSet.Field.newBuilder().addVarint(value).build();
  }

  static UnknownFieldSet.Field texts(List<String> values) {
    UnknownFieldSet.Field.Builder field = UnknownFieldSet.Field.newBuilder();
    values.forEach(value -> field.addLengthDelimited(ByteString.copyFromUtf8(value)));
    return field.build();
  }

  static UnknownFieldSet.Field numbers(long... values) {
    UnknownFieldSet.Field.Builder field = UnknownFieldSet.Field.newBuilder();
    for (long value : values) {
      field.addVarint(value);
    }
    return field.build();
  }
}
