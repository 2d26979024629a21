package io.camhook.ort;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.TensorInfo;
import io.camhook.onnx.graph.ElementType;
import io.camhook.recording.DType;
import io.camhook.recording.Tensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;

/** Converts between tensors of a capture and tensors of onnxruntime. */
final class OrtTensors {
  private OrtTensors() {}

  /** Copies a tensor of onnxruntime to the heap; empty if it is not a tensor, or holds strings. */
  static Optional<Tensor> copied(OnnxValue value) {
    if (!(value instanceof OnnxTensor tensor)) {
      return Optional.empty();
    }
    TensorInfo info = tensor.getInfo();
    ElementType element = element(info);
    if (element == ElementType.OTHER || element == ElementType.STRING) {
      return Optional.empty();
    }
    ByteBuffer bytes =
        info.getNumElements() == 0
            ? ByteBuffer.allocate(0)
            : tensor.getByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
    return Optional.of(new Tensor(type(element), info.getShape(), bytes));
  }

  /**
   * A tensor of onnxruntime over the values of another.
   *
   * @param element the type that the model expects; numbers are converted
   */
  static OnnxTensor tensor(OrtEnvironment environment, Tensor values, ElementType element)
      throws OrtException {
    ByteBuffer bytes =
        ByteBuffer.allocateDirect(
                Math.toIntExact(Math.multiplyExact(values.elements(), element.bytes())))
            .order(ByteOrder.nativeOrder());
    if (type(element).equals(values.dtype())) {
      bytes.put(values.data());
    } else {
      convert(values, element, bytes);
    }
    bytes.rewind();
    return OnnxTensor.createTensor(environment, bytes, values.shape(), javaType(element));
  }

  private static void convert(Tensor values, ElementType element, ByteBuffer into) {
    for (float value : values.toFloats()) {
      switch (element) {
        case FLOAT -> into.putFloat(value);
        case DOUBLE -> into.putDouble(value);
        case INT64, UINT64 -> into.putLong((long) value);
        case INT32, UINT32 -> into.putInt((int) value);
        case INT16, UINT16 -> into.putShort((short) value);
        case INT8, UINT8 -> into.put((byte) value);
        case BOOL -> into.put((byte) (value == 0 ? 0 : 1));
        case FLOAT16 -> into.putShort(io.camhook.onnx.graph.HalfFloats.toFloat16(value));
        case BFLOAT16 -> into.putShort(io.camhook.onnx.graph.HalfFloats.toBfloat16(value));
        default -> throw new IllegalArgumentException("inputs of type " + element);
      }
    }
  }

  private static DType type(ElementType element) {
    return switch (element) {
      case FLOAT -> DType.F32;
      case DOUBLE -> DType.F64;
      case FLOAT16 -> DType.F16;
      case BFLOAT16 -> DType.BF16;
      case INT8 -> DType.I8;
      case UINT8 -> DType.U8;
      case INT16 -> DType.I16;
      case UINT16 -> DType.U16;
      case INT32 -> DType.I32;
      case UINT32 -> DType.U32;
      case INT64 -> DType.I64;
      case UINT64 -> DType.U64;
      case BOOL -> DType.BOOL;
      default -> throw new IllegalArgumentException("inputs of type " + element);
    };
  }

  private static OnnxJavaType javaType(ElementType element) {
    return switch (element) {
      case FLOAT -> OnnxJavaType.FLOAT;
      case DOUBLE -> OnnxJavaType.DOUBLE;
      case FLOAT16 -> OnnxJavaType.FLOAT16;
      case BFLOAT16 -> OnnxJavaType.BFLOAT16;
      case INT8 -> OnnxJavaType.INT8;
      case UINT8 -> OnnxJavaType.UINT8;
      case INT16, UINT16 -> OnnxJavaType.INT16;
      case INT32, UINT32 -> OnnxJavaType.INT32;
      case INT64, UINT64 -> OnnxJavaType.INT64;
      case BOOL -> OnnxJavaType.BOOL;
      default -> throw new IllegalArgumentException("inputs of type " + element);
    };
  }

  /** The element type that onnxruntime gives a tensor. */
  static ElementType element(TensorInfo info) {
    return switch (info.onnxType) {
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT -> ElementType.FLOAT;
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE -> ElementType.DOUBLE;
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16 -> ElementType.FLOAT16;
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16 -> ElementType.BFLOAT16;
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8 -> ElementType.INT8;
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8 -> ElementType.UINT8;
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT16 -> ElementType.INT16;
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT16 -> ElementType.UINT16;
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32 -> ElementType.INT32;
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT32 -> ElementType.UINT32;
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64 -> ElementType.INT64;
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT64 -> ElementType.UINT64;
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL -> ElementType.BOOL;
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING -> ElementType.STRING;
      default -> ElementType.OTHER;
    };
  }
}
