package io.camhook.torchscript.flow;

import java.util.Set;

/**
 * What the tap analysis must know about PyTorch's operators: which results may share memory with an
 * input, which operators change an input, and which keep a spatial map spatial.
 */
public final class Operators {
  private static final Set<String> VIEWS =
      Set.of(
          "view",
          "view_as",
          "reshape",
          "reshape_as",
          "flatten",
          "unflatten",
          "transpose",
          "t",
          "permute",
          "squeeze",
          "unsqueeze",
          "select",
          "slice",
          "narrow",
          "expand",
          "expand_as",
          "chunk",
          "split",
          "split_with_sizes",
          "tensor_split",
          "hsplit",
          "vsplit",
          "dsplit",
          "unbind",
          "diagonal",
          "as_strided",
          "movedim",
          "moveaxis",
          "swapaxes",
          "swapdims",
          "numpy_T",
          "T",
          "mT",
          "H",
          "adjoint",
          "real",
          "imag",
          "view_as_real",
          "view_as_complex",
          "unfold",
          "detach",
          "alias",
          "contiguous",
          "to",
          "type_as",
          "float",
          "half",
          "double",
          "bfloat16",
          "cpu",
          "cuda",
          "dropout",
          "feature_dropout",
          "alpha_dropout",
          "feature_alpha_dropout",
          "lift_fresh",
          "_reshape_alias",
          "resolve_conj",
          "resolve_neg",
          "conj",
          "positive",
          "broadcast_to",
          "broadcast_tensors",
          "atleast_1d",
          "atleast_2d",
          "atleast_3d",
          "ravel",
          "meshgrid",
          "list",
          "keys",
          "values",
          "items",
          "get",
          "pop",
          "popitem",
          "setdefault",
          "__getitem__",
          "copy",
          "unwrap_optional",
          "pin_memory",
          "channel_shuffle",
          "native_channel_shuffle",
          "type",
          "int",
          "long",
          "bool",
          "short");

  private static final Set<String> MAKES_MAP =
      Set.of(
          "conv1d",
          "conv2d",
          "conv3d",
          "_convolution",
          "convolution",
          "conv_transpose1d",
          "conv_transpose2d",
          "conv_transpose3d",
          "max_pool1d",
          "max_pool2d",
          "max_pool3d",
          "avg_pool1d",
          "avg_pool2d",
          "avg_pool3d",
          "pixel_shuffle",
          "pixel_unshuffle",
          "grid_sampler");

  private static final Set<String> LOSES_MAP =
      Set.of(
          "flatten",
          "view",
          "reshape",
          "linear",
          "matmul",
          "bmm",
          "mm",
          "addmm",
          "mean",
          "sum",
          "amax",
          "amin",
          "permute",
          "transpose",
          "select",
          "size",
          "shape",
          "dim",
          "len",
          "lstm",
          "gru",
          "embedding",
          "squeeze",
          "norm",
          "einsum",
          "argmax",
          "var",
          "std",
          "numel",
          "item",
          "unfold",
          "reshape_as",
          "view_as",
          "tensordot",
          "scaled_dot_product_attention");

  private static final Set<String> WEIGH =
      Set.of(
          "linear",
          "addmm",
          "matmul",
          "bmm",
          "mm",
          "baddbmm",
          "einsum",
          "batch_norm",
          "layer_norm",
          "native_layer_norm",
          "rms_norm",
          "group_norm",
          "instance_norm",
          "embedding",
          "lstm",
          "gru",
          "rnn_tanh",
          "rnn_relu",
          "prelu",
          "bilinear");

  private static final Set<String> PRODUCTS = Set.of("matmul", "bmm", "mm", "einsum", "baddbmm");

  private static final Set<String> ATTEND =
      Set.of(
          "scaled_dot_product_attention",
          "_scaled_dot_product_attention",
          "_native_multi_head_attention",
          "_transformer_encoder_layer_fwd",
          "multi_head_attention_forward");

  private static final Set<String> REDUCE =
      Set.of("mean", "sum", "amax", "amin", "max", "min", "logsumexp", "norm", "argmax");

  private Operators() {}

  /** Whether an operator with parameters among its arguments computes with them. */
  static boolean weighs(String operator) {
    return WEIGH.contains(operator) || operator.contains("conv");
  }

  /** Whether it multiplies matrices. */
  static boolean isProduct(String operator) {
    return PRODUCTS.contains(operator);
  }

  /** Whether it is a complete attention. */
  static boolean attends(String operator) {
    return ATTEND.contains(operator);
  }

  static boolean isSoftmax(String operator) {
    return operator.equals("softmax") || operator.equals("_softmax");
  }

  /** Whether it sums over positions. */
  static boolean reduces(String operator) {
    return REDUCE.contains(operator) || operator.startsWith("adaptive_");
  }

  /** Whether the operator changes its first argument, by PyTorch's naming convention. */
  public static boolean isInPlace(String operator) {
    return operator.endsWith("_") && !operator.endsWith("__");
  }

  /** Whether the result may share memory with an argument. */
  static boolean mayAlias(String operator) {
    return VIEWS.contains(operator) || isInPlace(operator);
  }

  /** Whether a container argument takes up another argument. */
  static boolean storesIntoContainer(String operator) {
    return operator.equals("append")
        || operator.equals("insert")
        || operator.equals("extend")
        || operator.equals("_set_item")
        || operator.equals("__setitem__")
        || operator.equals("update");
  }

  /**
   * The layout of a result, given that of the arguments together; for all but {@code permute},
   * where it depends on the axes.
   */
  static Layout layout(String operator, Layout arguments) {
    if (MAKES_MAP.contains(operator)) {
      return arguments == Layout.ONE_POSITION ? arguments : Layout.CHANNELS_FIRST;
    }
    boolean keptLast = arguments == Layout.CHANNELS_LAST && operator.equals("linear");
    return LOSES_MAP.contains(operator) && !keptLast ? Layout.OTHER : arguments;
  }
}
