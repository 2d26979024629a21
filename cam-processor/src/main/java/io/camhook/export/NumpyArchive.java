package io.camhook.export;

import io.camhook.recording.DType;
import io.camhook.recording.Tensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * Writes an {@code .npz} file for {@code numpy.load}: an uncompressed zip with one {@code .npy}
 * (format 1.0) per tensor. bfloat16, which NumPy lacks, becomes float32. Each string becomes an
 * array of rank 0 and type {@code <U}.
 */
public final class NumpyArchive {
  private static final int ALIGNMENT = 64;

  private NumpyArchive() {}

  /** Writes tensors and strings under their names. */
  public static void write(Path file, Map<String, Tensor> tensors, Map<String, String> strings)
      throws IOException {
    try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(file))) {
      for (Map.Entry<String, Tensor> each : tensors.entrySet()) {
        Tensor tensor = each.getValue();
        if (tensor.dtype() == DType.BF16) {
          tensor = Tensor.ofFloats(tensor.toFloats(), tensor.shape());
        }
        byte[] data = new byte[Math.toIntExact(tensor.byteSize())];
        tensor.data().get(data);
        add(zip, each.getKey(), array(type(tensor.dtype()), shape(tensor.shape()), data));
      }
      for (Map.Entry<String, String> each : strings.entrySet()) {
        int[] points = each.getValue().codePoints().toArray();
        ByteBuffer data =
            ByteBuffer.allocate(Integer.BYTES * Math.max(1, points.length))
                .order(ByteOrder.LITTLE_ENDIAN);
        data.asIntBuffer().put(points);
        add(zip, each.getKey(), array("<U" + Math.max(1, points.length), "()", data.array()));
      }
    }
  }

  private static void add(ZipOutputStream zip, String name, byte[] array) throws IOException {
    ZipEntry entry = new ZipEntry(name + ".npy");
    CRC32 crc = new CRC32();
    crc.update(array);
    entry.setMethod(ZipEntry.STORED);
    entry.setSize(array.length);
    entry.setCompressedSize(array.length);
    entry.setCrc(crc.getValue());
    entry.setTime(0);
    zip.putNextEntry(entry);
    zip.write(array);
    zip.closeEntry();
  }

  /** The header is text, padded so that the data are aligned. */
  private static byte[] array(String type, String shape, byte[] data) {
    String header = "{'descr': '%s', 'fortran_order': False, 'shape': %s, }".formatted(type, shape);
    int start = 10 + header.length() + 1;
    int padding = (ALIGNMENT - start % ALIGNMENT) % ALIGNMENT;
    byte[] text = (header + " ".repeat(padding) + "\n").getBytes(StandardCharsets.US_ASCII);
    ByteBuffer npy =
        ByteBuffer.allocate(10 + text.length + data.length).order(ByteOrder.LITTLE_ENDIAN);
    npy.put((byte) 0x93)
        .put("NUMPY".getBytes(StandardCharsets.US_ASCII))
        .put((byte) 1)
        .put((byte) 0);
    return npy.putShort((short) text.length).put(text).put(data).array();
  }

  /** A Python tuple: {@code (3, 4)}, {@code (3,)}, {@code ()}. */
  private static String shape(long[] shape) {
    String sizes = Arrays.stream(shape).mapToObj(Long::toString).collect(Collectors.joining(", "));
    return "(" + sizes + (shape.length == 1 ? ",)" : ")");
  }

  private static String type(DType type) {
    return switch (type) {
      case BOOL -> "|b1";
      case U8 -> "|u1";
      case I8 -> "|i1";
      case U16 -> "<u2";
      case I16 -> "<i2";
      case U32 -> "<u4";
      case I32 -> "<i4";
      case I64 -> "<i8";
      case U64 -> "<u8";
      case F16 -> "<f2";
      case F32, BF16 -> "<f4";
      case F64 -> "<f8";
    };
  }
}
