package io.camhook.benchmarks.archives;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The few operators of Python's pickle, protocol 2, that a TorchScript archive needs. Source:
 * CPython's {@code pickletools}.
 */
final class PickleWriter {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();

  PickleWriter() {
    write(0x80, 2); // PROTO 2
  }

  /** A new object, whose attributes follow: keys and values in turn. */
  void beginObject(String module, String type) {
    global(module, type);
    write(')', 0x81, '}', '('); // EMPTY_TUPLE, NEWOBJ, EMPTY_DICT, MARK
  }

  void endObject() {
    write('u', 'b'); // SETITEMS, BUILD
  }

  PickleWriter key(String name) {
    return string(name);
  }

  PickleWriter bool(boolean value) {
    write(value ? 0x88 : 0x89);
    return this;
  }

  PickleWriter emptyTuple() {
    write(')');
    return this;
  }

  /** A contiguous float tensor whose bytes are all of storage {@code number}. */
  void tensor(int number, long[] shape, int elements, boolean requiresGrad) {
    global("torch._utils", "_rebuild_tensor_v2");
    write('(');
    write('('); // the storage's tuple
    string("storage");
    global("torch", "FloatStorage");
    string(Integer.toString(number));
    string("cpu");
    integer(elements);
    write('t', 'Q'); // TUPLE, BINPERSID
    integer(0); // offset
    tuple(shape);
    tuple(contiguousStrides(shape));
    bool(requiresGrad);
    global("collections", "OrderedDict");
    write(')', 'R'); // EMPTY_TUPLE, REDUCE
    write('t', 'R'); // TUPLE, REDUCE
  }

  byte[] finish() {
    write('.');
    return out.toByteArray();
  }

  private static long[] contiguousStrides(long[] shape) {
    long[] strides = new long[shape.length];
    long stride = 1;
    for (int i = shape.length - 1; i >= 0; i--) {
      strides[i] = stride;
      stride *= shape[i];
    }
    return strides;
  }

  private void tuple(long[] values) {
    write('(');
    for (long value : values) {
      integer(Math.toIntExact(value));
    }
    write('t');
  }

  private void global(String module, String name) {
    write('c');
    out.writeBytes((module + "\n" + name + "\n").getBytes(UTF_8));
  }

  private PickleWriter string(String value) {
    byte[] bytes = value.getBytes(UTF_8);
    write('X'); // BINUNICODE
    littleEndian(bytes.length);
    out.writeBytes(bytes);
    return this;
  }

  private void integer(int value) {
    write('J'); // BININT
    littleEndian(value);
  }

  private void littleEndian(int value) {
    out.writeBytes(ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(value).array());
  }

  private void write(int... operators) {
    for (int operator : operators) {
      out.write(operator);
    }
  }
}
