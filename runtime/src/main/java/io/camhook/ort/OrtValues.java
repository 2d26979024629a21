package io.camhook.ort;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxTensorLike;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.TensorInfo;
import io.camhook.recording.DType;
import io.camhook.recording.Tensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Converts values of onnxruntime to tensors of a recording, and back. */
final class OrtValues {
  private OrtValues() {}

  /** The type in a recording; null for types that a recording cannot hold (text). */
  static @Nullable DType dtype(TensorInfo info) {
    return switch (info.onnxType) {
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT -> DType.F32;
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE -> DType.F64;
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16 -> DType.F16;
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16 -> DType.BF16;
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8 -> DType.U8;
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8 -> DType.I8;
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT16 -> DType.U16;
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT16 -> DType.I16;
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT32 -> DType.U32;
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32 -> DType.I32;
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT64 -> DType.U64;
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64 -> DType.I64;
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL -> DType.BOOL;
      default -> null;
    };
  }

  /** Whether it can be differentiated. */
  static boolean isFloating(DType type) {
    return type == DType.F32 || type == DType.F64 || type == DType.F16 || type == DType.BF16;
  }

  /**
   * A copy on the heap.
   *
   * @throws IllegalArgumentException if a recording cannot hold values of its type
   */
  static Tensor copy(OnnxTensorLike value) {
    if (!(value instanceof OnnxTensor tensor)) {
      throw new IllegalArgumentException(
          "a recording holds dense tensors, found " + value.getInfo());
    }
    TensorInfo info = tensor.getInfo();
    DType type = dtype(info);
    if (type == null) {
      throw new IllegalArgumentException("a recording holds numbers, found " + info.onnxType);
    }
    return new Tensor(type, info.getShape(), tensor.getByteBuffer());
  }

  /** Bytes that the value takes; 0 if it is not a dense tensor of numbers. */
  static long bytes(OnnxTensorLike value) {
    DType type = value instanceof OnnxTensor tensor ? dtype(tensor.getInfo()) : null;
    return type == null
        ? 0
        : type.bytes()
            * Arrays.stream(((OnnxTensor) value).getInfo().getShape()).reduce(1, (a, b) -> a * b);
  }

  /** A value of onnxruntime with the same numbers; the caller must close it. */
  static OnnxTensor of(OrtEnvironment environment, Tensor tensor) throws OrtException {
    ByteBuffer direct =
        ByteBuffer.allocateDirect(Math.toIntExact(Math.max(1, tensor.byteSize())))
            .order(ByteOrder.nativeOrder());
    direct.put(tensor.data()).flip();
    return OnnxTensor.createTensor(environment, direct, tensor.shape(), javaType(tensor.dtype()));
  }

  private static OnnxJavaType javaType(DType type) {
    return switch (type) {
      case F32 -> OnnxJavaType.FLOAT;
      case F64 -> OnnxJavaType.DOUBLE;
      case F16 -> OnnxJavaType.FLOAT16;
      case BF16 -> OnnxJavaType.BFLOAT16;
      case U8 -> OnnxJavaType.UINT8;
      case I8 -> OnnxJavaType.INT8;
      case I16 -> OnnxJavaType.INT16;
      case I32 -> OnnxJavaType.INT32;
      case I64 -> OnnxJavaType.INT64;
      case BOOL -> OnnxJavaType.BOOL;
      case U16, U32, U64 ->
          throw new IllegalArgumentException("onnxruntime's Java has no tensors of " + type);
    };
  }
}
