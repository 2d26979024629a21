package io.camhook.torchscript.flow;

import io.camhook.torchscript.source.Expr;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The tensor-valued results of PyTorch's operators, from the schemas of libtorch 2.7. The code of
 * an archive does not give these types, and with a tap around a value of another type the engine
 * would not load the archive; so the results of operators that are not listed here cannot be
 * recorded. An in-place operator returns the same type as its out-of-place form.
 */
public final class OperatorResults {
  public static final String TENSOR = "Tensor";
  static final String TENSORS = "List[Tensor]";

  private static final String ONE =
      """
      _adaptive_avg_pool2d _adaptive_avg_pool3d _cdist_forward _conj _conv_depthwise2d
      _convolution _euclidean_dist _log_softmax _neg_view _reshape_alias _softmax
      _transformer_encoder_layer_fwd _trilinear _unsafe_index _unsafe_view _upsample_bicubic2d_aa
      _upsample_bilinear2d_aa _upsample_lanczos2d_aa _upsample_nearest_exact1d
      _upsample_nearest_exact2d _upsample_nearest_exact3d _weight_norm abs absolute
      adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d addbmm addcdiv addcmul addmm
      addmv addr adjoint affine_grid_generator alias alpha_dropout amax amin arange arccos arccosh
      arcsin arcsinh arctan arctan2 arctanh argmax argmin argsort argwhere as_strided
      as_strided_scatter as_tensor avg_pool1d avg_pool2d avg_pool3d baddbmm bartlett_window
      batch_norm bernoulli bilinear binary_cross_entropy binary_cross_entropy_with_logits bincount
      binomial bitwise_and bitwise_left_shift bitwise_not bitwise_or bitwise_right_shift
      bitwise_xor blackman_window block_diag bmm broadcast_to bucketize cartesian_prod cat cdist
      celu chain_matmul chalf channel_shuffle cholesky cholesky_inverse cholesky_solve clamp
      clamp_max clamp_min clip clone col2im column_stack combinations complex concat concatenate
      conj conj_physical constant_pad_nd contiguous conv1d conv2d conv3d conv_tbc conv_transpose1d
      conv_transpose2d conv_transpose3d convolution corrcoef cosine_embedding_loss
      cosine_similarity count_nonzero cov cpu cross cross_entropy_loss ctc_loss cumprod cumsum
      cumulative_trapezoid deg2rad det detach diag diag_embed diagflat diagonal diagonal_scatter
      diff digamma dist divide dot dropout dstack einsum elu embedding empty empty_like
      empty_permuted empty_strided erfinv exp2 expand expand_as eye
      fake_quantize_per_channel_affine fake_quantize_per_tensor_affine feature_alpha_dropout
      feature_dropout fft_fft fft_fft2 fft_fftfreq fft_fftn fft_fftshift fft_hfft fft_hfft2
      fft_hfftn fft_ifft fft_ifft2 fft_ifftn fft_ifftshift fft_ihfft fft_ihfft2 fft_ihfftn
      fft_irfft fft_irfft2 fft_irfftn fft_rfft fft_rfft2 fft_rfftfreq fft_rfftn fill fill_diagonal
      fix flatten flatten_dense_tensors flip fliplr flipud float_power floor_divide fmax fmin frac
      frobenius_norm full full_like gather gelu ger glu greater greater_equal grid_sampler
      grid_sampler_2d grid_sampler_3d group_norm gru_cell hamming_window hann_window hardshrink
      hardsigmoid hardswish hardtanh heaviside hinge_embedding_loss histc hstack huber_loss hypot
      i0 igamma igammac im2col imag index_add index_fill index_put index_reduce index_select inner
      instance_norm int_repr inverse isclose isin isneginf isposinf isreal istft kaiser_window
      kl_div kron l1_loss layer_norm lcm leaky_relu lerp less less_equal linalg_cholesky
      linalg_cond linalg_cross linalg_det linalg_diagonal linalg_eigvals linalg_eigvalsh
      linalg_householder_product linalg_inv linalg_ldl_solve linalg_lu_solve linalg_matmul
      linalg_matrix_exp linalg_matrix_norm linalg_matrix_power linalg_matrix_rank linalg_multi_dot
      linalg_norm linalg_pinv linalg_solve linalg_solve_triangular linalg_svdvals linalg_tensorinv
      linalg_tensorsolve linalg_vander linalg_vecdot linalg_vector_norm linear linspace log2
      log_sigmoid log_softmax logaddexp logaddexp2 logcumsumexp logdet logical_and logical_not
      logical_or logical_xor logit logspace logsumexp lu_solve mH mT margin_ranking_loss
      masked_fill masked_scatter masked_select matmul matrix_exp matrix_power max_pool1d
      max_pool2d max_pool3d max_unpool2d max_unpool3d maximum mean minimum mish mm moveaxis
      movedim mse_loss msort multi_margin_loss multilabel_margin_loss multinomial multiply mv
      mvlgamma nan_to_num nanmean nanquantile nansum narrow native_channel_shuffle native_norm
      negative new_empty new_empty_strided new_full new_ones new_zeros nextafter nll_loss
      nll_loss2d nll_loss_nd nonzero nonzero_static norm normal normal_functional not_equal
      nuclear_norm numpy_T ones ones_like orgqr ormqr outer pad pad_sequence pairwise_distance
      pdist permute pinverse pixel_shuffle pixel_unshuffle poisson poisson_nll_loss polygamma
      positive prelu prod quantile rad2deg rand rand_like randint randint_like randn randn_like
      randperm range ravel real reciprocal reflection_pad1d reflection_pad2d reflection_pad3d relu
      relu6 renorm repeat repeat_interleave replication_pad1d replication_pad2d replication_pad3d
      reshape reshape_as rms_norm rnn_relu_cell rnn_tanh_cell roll rot90 row_stack rrelu
      rrelu_with_noise rsqrt rsub scalar_tensor scaled_dot_product_attention scatter scatter_add
      scatter_reduce searchsorted segment_reduce select_scatter selu sgn sigmoid sign signbit silu
      sinc slice_inverse slice_scatter slow_conv3d slow_conv_transpose2d slow_conv_transpose3d
      smooth_l1_loss soft_margin_loss softmax softplus softshrink square squeeze stack std stft
      subtract sum_to_size swapaxes swapdims t take take_along_dim tensor tensordot thnn_conv2d
      threshold tile to to_dense to_mkldnn trace transpose trapezoid trapz tril tril_indices
      triplet_margin_loss triu triu_indices true_divide trunc type_as unflatten unfold uniform
      unsqueeze upsample_bicubic2d upsample_bilinear2d upsample_lanczos2d upsample_linear1d
      upsample_nearest1d upsample_nearest2d upsample_nearest3d upsample_trilinear3d vander var
      quantize_per_channel quantize_per_tensor quantize_per_tensor_dynamic vdot view view_as view_as_complex view_as_real vstack xlogy zero zeros zeros_like
      """;

  /**
   * Arithmetic and comparisons, which also work on numbers: the result is a tensor if an argument
   * is one.
   */
  private static final String ONE_OF_A_TENSOR =
      """
      __and__ __lshift__ __or__ __rshift__ __xor__ acos acosh add all any asin asinh atan atan2
      atanh atleast_1d atleast_2d atleast_3d ceil cos cosh dequantize div eq erf erfc exp expm1
      floor fmod ge gt index isfinite isinf isnan le lgamma log log10 log1p lt max median min mul
      nanmedian ne neg pow remainder round select sin sinh slice sqrt sub sum tan tanh where
      """;

  private static final String LIST =
      """
      broadcast_tensors chunk dsplit hsplit meshgrid split split_with_sizes tensor_split unbind
      unsafe_chunk unsafe_split unsafe_split_with_sizes vsplit
      """;

  private static final String PAIR =
      """
      _aminmax _fused_dropout _native_multi_head_attention _pack_padded_sequence
      _scaled_dot_product_attention_math _scaled_dot_product_flash_attention_for_cpu
      adaptive_max_pool1d adaptive_max_pool2d adaptive_max_pool3d aminmax cummax cummin
      fake_quantize_per_channel_affine_cachemask fake_quantize_per_tensor_affine_cachemask
      fractional_max_pool2d fractional_max_pool3d geqrf gru histogram kthvalue linalg_cholesky_ex
      linalg_eig linalg_eigh linalg_inv_ex linalg_ldl_factor linalg_lu_factor linalg_qr
      linalg_slogdet linalg_solve_ex log_sigmoid_forward lstm_cell max_pool1d_with_indices
      max_pool2d_with_indices max_pool3d_with_indices mode multilabel_margin_loss_forward
      native_dropout nll_loss2d_forward nll_loss_forward qr rnn_relu rnn_tanh
      rrelu_with_noise_functional slogdet std_mean topk triangular_solve var_mean
      """;

  private static final String TRIPLE =
      """
      _unique2 linalg_ldl_factor_ex linalg_lu linalg_lu_factor_ex linalg_svd lstm lu_unpack
      native_batch_norm native_group_norm native_layer_norm svd unique_consecutive unique_dim
      unique_dim_consecutive
      """;

  /**
   * With a dimension they return values and indices; without one, or with two tensors, a tensor.
   */
  private static final Set<String> ALONG_A_DIMENSION = Set.of("max", "min", "median", "nanmedian");

  /** Operators of quantised models, whose result is a tensor, though not a dense one. */
  private static final String QUANTISED =
      """
      add add_relu batch_norm2d batch_norm2d_relu cat conv1d conv1d_relu conv2d conv2d_relu conv3d
      conv3d_relu hardswish leaky_relu linear linear_dynamic linear_relu linear_relu_dynamic mul
      mul_relu relu6 sigmoid softmax
      """;

  /** Operators of other libraries whose result is a plain tensor. */
  private static final Set<String> FOREIGN =
      Set.of(
          "ops.prepacked.conv2d_clamp_run",
          "ops.prepacked.conv2d_transpose_clamp_run",
          "ops.prepacked.linear_clamp_run",
          "ops.torchvision.deform_conv2d",
          "ops.torchvision.nms",
          "ops.torchvision.ps_roi_align",
          "ops.torchvision.ps_roi_pool",
          "ops.torchvision.roi_align",
          "ops.torchvision.roi_pool");

  private static final Set<String> OF_QUANTISED = words(QUANTISED).collect(Collectors.toSet());
  private static final Set<String> MIXED = words(ONE_OF_A_TENSOR).collect(Collectors.toSet());
  static final Expr TENSOR_TYPE = new Expr.Name(0, 0, TENSOR);
  private static final Map<String, Expr> BY_NAME = byName();

  private OperatorResults() {}

  private static Stream<String> words(String text) {
    return Arrays.stream(text.strip().split("\\s+"));
  }

  private static Map<String, Expr> byName() {
    Map<String, Expr> types = new HashMap<>();
    words(ONE).forEach(name -> types.put(name, TENSOR_TYPE));
    words(LIST).forEach(name -> types.put(name, ofTensors("List", 1)));
    words(PAIR).forEach(name -> types.put(name, ofTensors("Tuple", 2)));
    words(TRIPLE).forEach(name -> types.put(name, ofTensors("Tuple", 3)));
    return types;
  }

  private static Expr ofTensors(String kind, int count) {
    List<Expr> items = Collections.nCopies(count, TENSOR_TYPE);
    return new Expr.Index(0, 0, new Expr.Name(0, 0, kind), items, false);
  }

  /**
   * The type that an operator returns.
   *
   * @param dotted the operator's full name, {@code torch.conv2d}
   * @param tensors for each argument whether it is known to be a tensor
   * @return null if it contains no tensor, or if it is unknown
   */
  public static @Nullable Expr of(String dotted, List<Boolean> tensors) {
    if (FOREIGN.contains(dotted)) {
      return TENSOR_TYPE;
    }
    if (dotted.startsWith("ops.quantized.")) {
      return OF_QUANTISED.contains(dotted.substring("ops.quantized.".length()))
          ? TENSOR_TYPE
          : null;
    }
    if (!dotted.startsWith("torch.") && !dotted.startsWith("ops.aten.")) {
      return null;
    }
    String name = dotted.substring(dotted.lastIndexOf('.') + 1);
    boolean inPlace = Operators.isInPlace(name);
    String base = inPlace ? name.substring(0, name.length() - 1) : name;
    Expr type = BY_NAME.get(base);
    if (type != null) {
      return type;
    }
    if (!MIXED.contains(base) || !tensors.contains(true)) {
      return null;
    }
    boolean twoTensors = tensors.size() == 2 && tensors.get(1);
    return ALONG_A_DIMENSION.contains(base) && tensors.size() > 1 && !twoTensors
        ? null
        : TENSOR_TYPE;
  }
}
