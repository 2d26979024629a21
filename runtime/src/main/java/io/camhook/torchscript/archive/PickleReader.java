package io.camhook.torchscript.archive;

import io.camhook.torchscript.archive.PickleValue.Call;
import io.camhook.torchscript.archive.PickleValue.Global;
import io.camhook.torchscript.archive.PickleValue.Instance;
import io.camhook.torchscript.archive.PickleValue.Persistent;
import java.math.BigInteger;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads the pickles of a TorchScript archive as data, without executing anything. Knows the opcodes
 * that {@code torch.jit.save} writes and rejects all others.
 */
public final class PickleReader {
  /** A model does not nest containers deeper than this. */
  private static final int MAX_STACK = 1_000_000;

  private static final Object MARK = new Object();

  private final String where;
  private final ByteBuffer in;
  private final List<@Nullable Object> stack = new ArrayList<>();
  private final Map<Integer, @Nullable Object> memo = new HashMap<>();

  private PickleReader(String where, byte[] pickle) {
    this.where = where;
    this.in = ByteBuffer.wrap(pickle).order(ByteOrder.LITTLE_ENDIAN);
  }

  /**
   * Reads one pickle.
   *
   * @param where file and entry, for messages
   * @throws ArchiveException if it is damaged or has an opcode that torch does not write
   */
  public static @Nullable Object read(String where, byte[] pickle) throws ArchiveException {
    PickleReader reader = new PickleReader(where, pickle);
    try {
      return reader.run();
    } catch (BufferUnderflowException | IndexOutOfBoundsException | ClassCastException e) {
      throw new ArchiveException(
          where + ": damaged pickle near byte " + reader.in.position() + " (" + e + ")", e);
    }
  }

  private @Nullable Object run() throws ArchiveException {
    while (true) {
      int at = in.position();
      int opcode = in.get() & 0xff;
      if (opcode == '.') {
        return pop();
      }
      step(opcode, at);
      if (stack.size() > MAX_STACK) {
        throw bad("more than " + MAX_STACK + " values on the stack", at);
      }
    }
  }

  private void step(int opcode, int at) throws ArchiveException {
    switch (opcode) {
      case 0x80 -> protocol(in.get(), at);
      case '(' -> stack.add(MARK);
      case 'N' -> stack.add(null);
      case 0x88 -> stack.add(true);
      case 0x89 -> stack.add(false);
      case 'K' -> stack.add((long) (in.get() & 0xff));
      case 'M' -> stack.add((long) (in.getShort() & 0xffff));
      case 'J' -> stack.add((long) in.getInt());
      case 0x8a -> stack.add(longInteger());
      case 'G' -> stack.add(Double.longBitsToDouble(Long.reverseBytes(in.getLong())));
      case 'X' -> stack.add(text(in.getInt()));
      case 'U' -> stack.add(text(in.get() & 0xff));
      case 'T' -> stack.add(text(in.getInt()));
      case 'B' -> stack.add(bytes(in.getInt()));
      case 'C' -> stack.add(bytes(in.get() & 0xff));
      case '}' -> stack.add(new LinkedHashMap<@Nullable Object, @Nullable Object>());
      case ']' -> stack.add(new ArrayList<@Nullable Object>());
      case ')' -> stack.add(new ArrayList<@Nullable Object>());
      case 't' -> stack.add(popToMark());
      case 0x85 -> stack.add(popLast(1));
      case 0x86 -> stack.add(popLast(2));
      case 0x87 -> stack.add(popLast(3));
      case 'a' -> append(popLast(1));
      case 'e' -> append(popToMark());
      case 's' -> setItems(popLast(2), at);
      case 'u' -> setItems(popToMark(), at);
      case 'q' -> memo.put(in.get() & 0xff, stack.get(stack.size() - 1));
      case 'r' -> memo.put(in.getInt(), stack.get(stack.size() - 1));
      case 'h' -> stack.add(remembered(in.get() & 0xff, at));
      case 'j' -> stack.add(remembered(in.getInt(), at));
      case 'c' -> stack.add(new Global(line(), line()));
      case 'Q' -> stack.add(new Persistent(pop()));
      case 'R' -> reduce();
      case 0x81 -> newObject();
      case 'b' -> build(at);
      case '0' -> pop();
      default ->
          throw bad(
              String.format(
                  "opcode 0x%02x is not one that torch.jit.save writes; rejected", opcode),
              at);
    }
  }

  private void protocol(byte version, int at) throws ArchiveException {
    if (version < 2 || version > 4) {
      throw bad("pickle protocol " + version + "; torch writes 2", at);
    }
  }

  private void reduce() {
    Object argument = pop();
    List<@Nullable Object> arguments = new ArrayList<>();
    if (argument instanceof List<?> tuple) {
      arguments.addAll(tuple);
    } else {
      arguments.add(argument); // torch writes a value of an enum without a tuple around it
    }
    stack.add(new Call((Global) top(pop()), arguments));
  }

  private void newObject() {
    pop();
    stack.add(new Instance((Global) top(pop())));
  }

  private void build(int at) throws ArchiveException {
    Object state = pop();
    Object target = stack.get(stack.size() - 1);
    if (target instanceof Instance instance && state instanceof Map<?, ?> map) {
      Map<String, @Nullable Object> attributes = new LinkedHashMap<>();
      for (Map.Entry<?, ?> entry : map.entrySet()) {
        attributes.put((String) top(entry.getKey()), entry.getValue());
      }
      instance.build(attributes);
    } else if (target instanceof Instance instance) {
      // __setstate__ of a user's class decides for itself what to do with the state.
      Map<String, @Nullable Object> attributes = new LinkedHashMap<>();
      attributes.put("__setstate__", state);
      instance.build(attributes);
    } else {
      throw bad("BUILD on something that is not an instance", at);
    }
  }

  private void append(List<@Nullable Object> items) {
    list(stack.get(stack.size() - 1)).addAll(items);
  }

  private void setItems(List<@Nullable Object> items, int at) throws ArchiveException {
    if (items.size() % 2 != 0 || !(stack.get(stack.size() - 1) instanceof Map<?, ?>)) {
      throw bad("SETITEMS without a dict or with an odd number of values", at);
    }
    @SuppressWarnings("unchecked") // the only maps on the stack are the reader's own
    Map<@Nullable Object, @Nullable Object> map =
        (Map<@Nullable Object, @Nullable Object>) top(stack.get(stack.size() - 1));
    for (int i = 0; i < items.size(); i += 2) {
      map.put(key(items.get(i), at), items.get(i + 1));
    }
  }

  /**
   * A container as a key would be hashed by its contents, which an attacker can make exponentially
   * expensive.
   */
  private @Nullable Object key(@Nullable Object key, int at) throws ArchiveException {
    if (key instanceof List<?> || key instanceof Map<?, ?> || key instanceof PickleValue) {
      throw bad("a container as dict key", at);
    }
    return key;
  }

  private @Nullable Object remembered(int index, int at) throws ArchiveException {
    if (!memo.containsKey(index)) {
      throw bad("reference to value " + index + ", which was not stored", at);
    }
    return memo.get(index);
  }

  private List<@Nullable Object> popToMark() {
    int mark = stack.size() - 1;
    while (stack.get(mark) != MARK) {
      mark--;
    }
    List<@Nullable Object> items = new ArrayList<>(stack.subList(mark + 1, stack.size()));
    stack.subList(mark, stack.size()).clear();
    return items;
  }

  private List<@Nullable Object> popLast(int n) {
    List<@Nullable Object> last = stack.subList(stack.size() - n, stack.size());
    List<@Nullable Object> items = new ArrayList<>(last);
    last.clear();
    if (items.contains(MARK)) {
      throw new IndexOutOfBoundsException("mark inside of a tuple");
    }
    return items;
  }

  private @Nullable Object pop() {
    Object value = stack.remove(stack.size() - 1);
    if (value == MARK) {
      throw new IndexOutOfBoundsException("a mark instead of a value");
    }
    return value;
  }

  private Number longInteger() throws ArchiveException {
    byte[] little = bytes(in.get() & 0xff);
    byte[] big = new byte[little.length];
    for (int i = 0; i < big.length; i++) {
      big[i] = little[little.length - 1 - i];
    }
    BigInteger value = big.length == 0 ? BigInteger.ZERO : new BigInteger(big);
    return value.bitLength() < 64 ? (Number) value.longValue() : value;
  }

  private String text(int length) throws ArchiveException {
    return new String(bytes(length), StandardCharsets.UTF_8);
  }

  private byte[] bytes(int length) throws ArchiveException {
    if (length < 0 || length > in.remaining()) {
      throw bad("a value of " + length + " bytes where " + in.remaining() + " are left", -1);
    }
    byte[] bytes = new byte[length];
    in.get(bytes);
    return bytes;
  }

  private String line() {
    int start = in.position();
    while (in.get() != '\n') {
      continue;
    }
    return new String(in.array(), start, in.position() - 1 - start, StandardCharsets.UTF_8);
  }

  @SuppressWarnings("unchecked") // the only lists on the stack are the reader's own
  private static List<@Nullable Object> list(@Nullable Object value) {
    return (List<@Nullable Object>) top(value);
  }

  private static Object top(@Nullable Object value) {
    if (value == null) {
      throw new ClassCastException("None where a value was expected");
    }
    return value;
  }

  private ArchiveException bad(String what, int at) {
    return new ArchiveException(
        where + ": " + what + (at < 0 ? "" : " (byte " + at + " of the pickle)"));
  }
}
