package io.camhook.djl.autograd;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.NDScope;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.jni.IValue;
import ai.djl.pytorch.jni.JniUtils;
import io.camhook.djl.memory.LooseArrays;
import io.camhook.recording.DType;
import io.camhook.recording.Tensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Native operations on PyTorch tensors. Results belong to the given manager, or to that of their
 * source, and are never closed by an {@code NDScope} of the application.
 */
public final class Tensors {
  private Tensors() {}

  /** Whether autograd tracks the array, as leaf or as result of an operator. */
  public static boolean requiresGrad(NDArray array) {
    return JniUtils.requiresGrad((PtNDArray) array)
        || AutogradGateway.instance().requiresGrad(array);
  }

  /** Whether autograd tracks the array and no operator made it. */
  public static boolean isLeaf(NDArray array) {
    return JniUtils.requiresGrad((PtNDArray) array) && AutogradGateway.instance().isLeaf(array);
  }

  /** A second handle to the very same tensor, graph included. */
  public static NDArray alias(NDArray array, NDManager owner) {
    try (IValue value = IValue.from((PtNDArray) array)) {
      return own(value.toTensor((PtNDManager) owner), owner);
    }
  }

  /**
   * The values in the type of {@code like}. DJL's native code ends the JVM if it is asked for an
   * unknown type, so in that case the values are added to zeros of that type.
   */
  public static NDArray inTypeOf(NDArray like, NDArray array, NDManager owner) {
    if (!isUnknown(like)) {
      return array.toType(like.getDataType(), false);
    }
    NDArray zeros;
    try (NDArray view = detached(like, owner)) {
      zeros = copyOf(view, owner);
    }
    return zeros.muli(0).addi(array);
  }

  /** An alias that no manager closes; the caller must close it. */
  public static NDArray ownAlias(NDArray array) {
    NDManager owner = AutogradGateway.instance().manager();
    NDArray alias = alias(array, owner);
    owner.detachInternal(alias.getUid());
    return alias;
  }

  /** Like {@link #ownAlias}, without the graph and in the same memory. */
  public static NDArray ownDetached(NDArray array) {
    NDArray detached = JniUtils.detachGradient((PtNDArray) array);
    NDScope.unregister(detached);
    detached.getManager().detachInternal(detached.getUid());
    return detached;
  }

  /** Makes {@code owner} responsible for a result of an operator. */
  public static NDArray ownedBy(NDArray array, NDManager owner) {
    return own(array, owner);
  }

  /** Lets the manager close {@code array} without keeping it alive. */
  public static NDArray loose(NDArray array) {
    LooseArrays.loosen((PtNDArray) array);
    return array;
  }

  /** The same values in the same memory, without the graph. */
  public static NDArray detached(NDArray array, NDManager owner) {
    return own(JniUtils.detachGradient((PtNDArray) array), owner);
  }

  /** Gives {@code array} the name and manager of {@code replaced}. */
  public static NDArray inPlaceOf(NDArray replaced, NDArray array) {
    array.attach(replaced.getManager());
    return named(array, replaced);
  }

  /** A copy without a graph. */
  public static NDArray copyOf(NDArray array, NDManager owner) {
    return own(JniUtils.clone((PtNDArray) array), owner);
  }

  /** The array for the application in place of {@code array}: same values, name and manager. */
  public static NDArray withoutGraph(NDArray array) {
    return named(JniUtils.detachGradient((PtNDArray) array), array);
  }

  /** Whether DJL's native code ends the JVM when it is asked for an array of this type. */
  public static boolean isUnknown(NDArray array) {
    DataType type = array.getDataType();
    return type == DataType.UNKNOWN || type == DataType.BFLOAT16;
  }

  public static boolean isFloating(NDArray array) {
    DataType type = array.getDataType();
    return type.isFloating();
  }

  public static long bytes(NDArray array) {
    return Math.multiplyExact(array.size(), array.getDataType().getNumOfBytes());
  }

  /** Copies the values to the heap; bfloat16, which DJL does not know, as float32. */
  public static Tensor toTensor(NDArray array) {
    if (isUnknown(array)) {
      try (NDArray known = array.toType(DataType.FLOAT32, true)) {
        return toTensor(known);
      }
    }
    return new Tensor(
        dtype(array.getDataType()), array.getShape().getShape(), array.toByteBuffer());
  }

  /**
   * The values in place: the result reads the array's own memory, so it must not be used after the
   * array's manager is closed. Values that do not lie densely on the CPU, and bfloat16, are first
   * copied to an array of the same manager.
   */
  public static Tensor viewOf(NDArray array) {
    NDArray known = isUnknown(array) ? array.toType(DataType.FLOAT32, true) : array;
    DType type = dtype(known.getDataType());
    ByteBuffer bytes = known.size() == 0 ? ByteBuffer.allocate(0) : known.toByteBuffer(true);
    return new Tensor(type, known.getShape().getShape(), bytes);
  }

  /** The values as bfloat16, which DJL does not support. */
  public static NDArray toBfloat16(NDArray array) {
    return own(AutogradGateway.instance().bfloat16(array.getManager(), array), array.getManager());
  }

  /** Copies values from the heap. */
  public static NDArray toArray(Tensor tensor, NDManager owner) {
    if (tensor.dtype() == DType.BF16) {
      try (NDArray wide = toArray(tensor.to(DType.F32), owner)) {
        return toBfloat16(wide);
      }
    }
    ByteBuffer bytes = ByteBuffer.allocateDirect(Math.toIntExact(tensor.byteSize()));
    bytes.order(ByteOrder.nativeOrder()).put(tensor.data()).rewind();
    return owner.create(bytes, new Shape(tensor.shape()), dataType(tensor.dtype()));
  }

  private static DataType dataType(DType type) {
    return switch (type) {
      case F32 -> DataType.FLOAT32;
      case F64 -> DataType.FLOAT64;
      case F16 -> DataType.FLOAT16;
      case U8 -> DataType.UINT8;
      case I8 -> DataType.INT8;
      case I32 -> DataType.INT32;
      case I64 -> DataType.INT64;
      case BOOL -> DataType.BOOLEAN;
      default ->
          throw new IllegalArgumentException(
              "an input of type " + type + " cannot be fed; convert it to F32");
    };
  }

  public static DType dtype(DataType type) {
    return switch (type) {
      case FLOAT32 -> DType.F32;
      case FLOAT64 -> DType.F64;
      case FLOAT16 -> DType.F16;
      case BFLOAT16 -> DType.BF16;
      case UINT8 -> DType.U8;
      case INT8 -> DType.I8;
      case INT16 -> DType.I16;
      case UINT16 -> DType.U16;
      case INT32 -> DType.I32;
      case UINT32 -> DType.U32;
      case INT64 -> DType.I64;
      case UINT64 -> DType.U64;
      case BOOLEAN -> DType.BOOL;
      default -> throw new IllegalArgumentException("a tensor of " + type + " cannot be recorded");
    };
  }

  private static NDArray own(NDArray array, NDManager owner) {
    NDScope.unregister(array);
    if (array.getManager() != owner) {
      array.attach(owner);
    }
    return array;
  }

  private static NDArray named(NDArray array, NDArray source) {
    array.setName(source.getName());
    return array;
  }
}
