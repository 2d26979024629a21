package io.camhook.torchscript.twin;

import io.camhook.torchscript.flow.GlobalAverage;
import org.jspecify.annotations.Nullable;

/**
 * The TorchScript that turns the twin's result into gradients without returning to the JVM. Most of
 * the cost of a captured request is calls into native code whose memory the forward pass has
 * evicted from the caches.
 *
 * <p>It returns tensors and a string. The tensors are the result without its graph, a second copy
 * of it, the rows of the classifier's weight for the explained classes (CAM, Zhou et al., 2016),
 * the taps without graph, and their gradients. The string has these lines: the explained class of
 * each sample, empty if nothing was differentiated; flags 1 or 0, first for the rows (present if
 * they fit the first tap), then for the gradient of each tap; and the labels of the taps.
 *
 * <p>If the result comes from a linear layer, Wx + b, with x in the graph, the gradient of class
 * k's score with respect to x is the row Wₖ, and differentiation starts there.
 *
 * <p>The score of a class in {@code [N,C,…]} is the sum over the positions; {@code [C]} counts as
 * one sample.
 */
final class GradientFunction {
  static final String NAME = "gradients";

  private static final String NONE = "annotate(List[Tensor], [])";

  private static final String TEXT =
      """
      def begins(x: Tensor,
          weight: Tensor) -> bool:
        if torch.__and__(torch.eq(torch.dim(x), 2), torch.eq(torch.dim(weight), 2)):
          fits = torch.eq(torch.size(x, 1), torch.size(weight, 1))
          typed = torch.eq(ops.prim.dtype(x), ops.prim.dtype(weight))
          begins = torch.__and__(fits, typed)
        else:
          begins = False
        return begins
      def before(x: Tensor,
          weight: Tensor) -> Tensor:
        if TAPS.begins(x, weight, ):
          y = torch.detach(x)
        else:
          y = x
        return y
      def plain(x: Tensor) -> Tensor:
        if ops.prim.requires_grad(x):
          y = torch.detach(x)
        else:
          y = x
        return y
      def best(table: Tensor,
          classes: List[int]) -> Tensor:
        if torch.eq(torch.len(classes), 0):
          best = torch.argmax(table, 1)
        else:
          best = torch.full([torch.size(table, 0)], classes[0], dtype=4)
        return best
      def averaged(scores: Tensor,
          taps: List[Tensor],
          classes: List[int],
          weight: Tensor,
          ones: List[int]) -> List[Tensor]:
        a = taps[0]
        needed = torch.add(2, torch.len(ones))
        if torch.ne(torch.dim(a), needed):
          found = "camhook: the map has {} dimensions, not {}"
          ops.prim.RaiseException(torch.format(found, torch.dim(a), needed))
        else:
          pass
        all = [scores, torch.clone(scores), a]
        if torch.eq(torch.len(classes), 0):
          known = True
        else:
          known = torch.lt(classes[0], torch.size(scores, 1))
        if torch.__and__(known, torch.gt(torch.numel(scores), 0)):
          best = TAPS.best(scores, classes, )
          rows = torch.index_select(weight, 0, best)
          each = torch.reshape(rows, torch.add([torch.size(a, 0), torch.size(a, 1)], ones))
          positions = torch.floordiv(torch.numel(a), torch.numel(rows))
          gradient = torch.expand(torch.div(each, positions), torch.size(a))
          _0 = torch.extend(all, [best, rows, gradient])
        else:
          pass
        return all
      def rectified(scores: Tensor,
          taps: List[Tensor],
          classes: List[int],
          weight: Tensor,
          biases: List[Tensor],
          ones: List[int]) -> List[Tensor]:
        a = taps[0]
        needed = torch.add(2, torch.len(ones))
        if torch.ne(torch.dim(a), needed):
          found = "camhook: the map has {} dimensions, not {}"
          ops.prim.RaiseException(torch.format(found, torch.dim(a), needed))
        else:
          pass
        all = [scores, torch.clone(scores), a]
        if torch.eq(torch.len(classes), 0):
          known = True
        else:
          known = torch.lt(classes[0], torch.size(scores, 1))
        if torch.__and__(known, torch.gt(torch.numel(scores), 0)):
          best = TAPS.best(scores, classes, )
          samples = torch.size(a, 0)
          rows = torch.reshape(torch.index_select(weight, 0, best), [samples, 1, torch.size(a, 1)])
          flat = torch.flatten(a, 2, -1)
          map = torch.bmm(rows, flat)
          if torch.gt(torch.len(biases), 0):
            bias = torch.reshape(torch.index_select(biases[0], 0, best), [samples, 1, 1])
            map0 = torch.add(map, bias)
          else:
            map0 = map
          positive = torch.logical_not(torch.le(map0, 0))
          kept = torch.to(positive, ops.prim.dtype(a), False, False)
          each = torch.transpose(torch.div(rows, torch.size(flat, 2)), 1, 2)
          gradient = torch.reshape(torch.mul(each, kept), torch.size(a))
          _0 = torch.extend(all, [best, gradient])
        else:
          pass
        return all
      def gradients(result: Tensor,
          features: List[Tensor],
          taps: List[Tensor],
          labels: List[str],
          classes: List[int],
          weights: List[Tensor]) -> Tuple[List[Tensor], str]:
        scores = TAPS.plain(result, )
        chosen = annotate(List[int], [])
        found = annotate(List[Optional[Tensor]], [])
        inputs = annotate(List[Tensor], [])
        rows = annotate(List[Tensor], [])
        for i in range(torch.len(taps)):
          if ops.prim.requires_grad(taps[i]):
            _0 = torch.append(inputs, taps[i])
          else:
            pass
        if torch.gt(torch.len(features), 0):
          begins = TAPS.begins(features[0], weights[0], )
          if begins:
            end = features[0]
          else:
            end = result
        else:
          begins = False
          end = result
        scored = torch.__and__(torch.gt(torch.dim(scores), 0), torch.gt(torch.numel(scores), 0))
        inGraph = torch.__and__(ops.prim.requires_grad(end), torch.gt(torch.len(inputs), 0))
        if torch.__and__(scored, inGraph):
          if torch.eq(torch.dim(scores), 1):
            table = torch.unsqueeze(scores, 0)
          else:
            table = scores
          samples = torch.size(table, 0)
          if torch.gt(torch.dim(table), 2):
            sums = torch.to(table, 6, False, False)
            totals = torch.sum(torch.flatten(sums, 2, -1), [2])
          else:
            totals = table
          best = TAPS.best(totals, classes, )
          if torch.eq(samples, 1):
            _1 = torch.append(chosen, int(best))
          else:
            for j in range(samples):
              _2 = torch.append(chosen, int(torch.select(best, 0, j)))
          known = torch.lt(chosen[0], torch.size(table, 1))
          if torch.__and__(known, torch.eq(torch.len(weights), 1)):
            weight = TAPS.plain(weights[0], )
            if torch.eq(torch.dim(weight), 2):
              if torch.eq(torch.size(weight, 0), torch.size(table, 1)):
                _4 = torch.append(rows, torch.index_select(weight, 0, best))
              else:
                pass
            else:
              pass
          else:
            pass
          given = annotate(List[Optional[Tensor]], [])
          if known:
            if begins:
              _5 = torch.append(given, rows[0])
            else:
              seed = torch.zeros_like(table)
              for l in range(samples):
                _6 = torch.fill_(torch.select(torch.select(seed, 0, l), 0, chosen[l]), 1)
              _7 = torch.append(given, torch.view_as(seed, scores))
            found0 = torch.grad([end], inputs, given, False, False, True)
          else:
            found0 = found
        else:
          found0 = found
        all = annotate(List[Tensor], [])
        if begins:
          _8 = torch.append(all, scores)
        else:
          _9 = torch.append(all, torch.clone(scores))
        _10 = torch.append(all, torch.clone(scores))
        present = annotate(List[str], [])
        fits = False
        if torch.eq(torch.len(rows), 1):
          if torch.gt(torch.dim(inputs[0]), 1):
            fits = torch.eq(torch.size(rows[0], 1), torch.size(inputs[0], 1))
          else:
            pass
        else:
          pass
        if fits:
          _11 = torch.append(all, rows[0])
          _12 = torch.append(present, "1")
        else:
          _13 = torch.append(present, "0")
        for n in range(torch.len(taps)):
          if ops.prim.requires_grad(taps[n]):
            _14 = torch.append(all, torch.detach(taps[n]))
          else:
            _15 = torch.append(all, torch.clone(taps[n]))
        at = 0
        for o in range(torch.len(taps)):
          flag = "0"
          at0 = at
          if ops.prim.requires_grad(taps[o]):
            at0 = torch.add(at, 1)
            if torch.lt(at, torch.len(found0)):
              g = found0[at]
              if torch.__isnot__(g, None):
                flag = "1"
                _16 = torch.append(all, unchecked_cast(Tensor, g))
              else:
                pass
            else:
              pass
          else:
            pass
          at = at0
          _17 = torch.append(present, flag)
        texts = annotate(List[str], [])
        for p in range(torch.len(chosen)):
          _18 = torch.append(texts, torch.format("{}", chosen[p]))
        head = [torch.join(" ", texts), torch.join("", present)]
        return (all, torch.join("\\n", torch.add(head, labels)))
      """;

  private GradientFunction() {}

  /**
   * The functions.
   *
   * @param module qualified name of the module that they are put in
   */
  static String text(String module) {
    return TEXT.replace("TAPS.", module + ".");
  }

  /**
   * The end of a method that has run the model: variables {@code result}, {@code camhook_taps},
   * {@code camhook_labels} and {@code camhook_classes}.
   *
   * @param function qualified name of the function
   * @param linear whether the result is the linear layer's for {@code camhook_features}
   * @param weight expression for the classifier's weight, if there is one
   */
  static String call(String function, String result, boolean linear, @Nullable String weight) {
    String features = linear ? "[camhook_features]" : NONE;
    String weights = weight == null ? NONE : "[" + weight + "]";
    return "    return %s(%s, %s, camhook_taps, camhook_labels, camhook_classes, %s, )"
        .formatted(function, result, features, weights);
  }

  /**
   * The end of a method that needs no autograd. It returns the result, a copy of it, the recorded
   * map; then the explained class of each sample, {@code [N]} of int64, the rows of the
   * classifier's weight for them and the gradient, all values of one sample and channel in one
   * place of memory; no rows if a convolution computes the scores. It returns only the first three
   * if the class does not exist or the batch is empty. It returns nothing, without running the
   * model, if dropout is active.
   *
   * @param module qualified name of the module of the functions
   * @param forward expression that runs the model and records
   */
  static String averaged(
      String module, String forward, GlobalAverage average, @Nullable String weight) {
    GlobalAverage.Convolution convolution = average.convolution();
    String ones = "[1" + ", 1".repeat(average.positions() - 1) + "]";
    StringBuilder text = new StringBuilder("    camhook_training = False\n");
    for (String flag : average.training()) {
      text.append("    camhook_training = torch.__or__(camhook_training, ")
          .append(flag)
          .append(")\n");
    }
    if (convolution != null) { // not for a kernel of more than one position
      String kernel = convolution.weight();
      text.append("    camhook_wide = torch.ne(torch.numel(").append(kernel);
      text.append("), torch.mul(torch.size(").append(kernel).append(", 0), torch.size(");
      text.append(kernel).append(", 1)))\n");
      text.append("    camhook_training = torch.__or__(camhook_training, camhook_wide)\n");
    }
    text.append("    if camhook_training:\n      camhook_all = ").append(NONE).append('\n');
    text.append("    else:\n      camhook_result = ").append(forward).append('\n');
    String function = convolution == null ? ".averaged(" : ".rectified(";
    text.append("      camhook_all = ").append(module).append(function);
    text.append("camhook_result, camhook_taps, camhook_classes, ");
    if (convolution != null) {
      String bias = convolution.bias();
      text.append(convolution.weight()).append(", ");
      text.append(bias == null ? NONE : "[unchecked_cast(Tensor, " + bias + ")]");
    } else {
      text.append(weight);
    }
    text.append(", ").append(ones).append(", )\n");
    return text.append("    return camhook_all").toString();
  }
}
