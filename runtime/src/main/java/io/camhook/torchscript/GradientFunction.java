package io.camhook.torchscript;

import org.jspecify.annotations.Nullable;

/**
 * The TorchScript that turns the twin's result into gradients without coming back to the JVM: what
 * a captured request costs is mostly calls into native code whose memory a forward has pushed out
 * of the caches.
 *
 * <p>It returns tensors and a text. The tensors: the result without its graph, another copy of it,
 * the rows of the classifier's weight for the classes (CAM, Zhou et al., 2016), the taps without
 * graph, and their gradients. The text: a line with the explained class of each sample, empty where
 * nothing was differentiated; a line that says with 1 or 0 whether the rows are there, because they
 * fit the first tap, and then for each tap whether its gradient is; the labels of the taps.
 *
 * <p>The score of a class in {@code [N,C,…]} is the sum over the positions; {@code [C]} counts as
 * one sample.
 */
final class GradientFunction {
  static final String NAME = "gradients";

  static final String TEXT =
      """
      def gradients(result: Tensor,
          taps: List[Tensor],
          labels: List[str],
          classes: List[int],
          weights: List[Tensor]) -> Tuple[List[Tensor], str]:
        scores = torch.detach(result)
        chosen = annotate(List[int], [])
        found = annotate(List[Optional[Tensor]], [])
        inputs = annotate(List[Tensor], [])
        rows = torch.zeros([0])
        for i in range(torch.len(taps)):
          if ops.prim.requires_grad(taps[i]):
            _0 = torch.append(inputs, taps[i])
          else:
            pass
        scored = torch.__and__(torch.gt(torch.dim(scores), 0), torch.gt(torch.numel(scores), 0))
        inGraph = torch.__and__(ops.prim.requires_grad(result), torch.gt(torch.len(inputs), 0))
        if torch.__and__(scored, inGraph):
          if torch.eq(torch.dim(scores), 1):
            table = torch.unsqueeze(scores, 0)
          else:
            table = scores
          if torch.eq(torch.len(classes), 0):
            sums = torch.to(table, 6, False, False)
            if torch.gt(torch.dim(table), 2):
              sums0 = torch.sum(torch.flatten(sums, 2, -1), [2])
            else:
              sums0 = sums
            best = torch.argmax(sums0, 1)
            for j in range(torch.size(table, 0)):
              _1 = torch.append(chosen, int(torch.select(best, 0, j)))
          else:
            for k in range(torch.size(table, 0)):
              _2 = torch.append(chosen, classes[0])
          known = True
          for q in range(torch.len(chosen)):
            known = torch.__and__(known, torch.lt(chosen[q], torch.size(table, 1)))
          if known:
            seed = torch.zeros_like(table)
            for l in range(torch.len(chosen)):
              _3 = torch.fill_(torch.select(torch.select(seed, 0, l), 0, chosen[l]), 1)
            given = annotate(List[Optional[Tensor]], [])
            _4 = torch.append(given, torch.view_as(seed, scores))
            found0 = torch.grad([result], inputs, given, False, False, True)
          else:
            found0 = found
          if torch.eq(torch.len(weights), 1):
            weight = torch.detach(weights[0])
            first = inputs[0]
            if torch.__and__(torch.eq(torch.dim(weight), 2), torch.gt(torch.dim(first), 1)):
              fits = torch.eq(torch.size(weight, 1), torch.size(first, 1))
              picked = annotate(List[Tensor], [])
              for m in range(torch.len(chosen)):
                if torch.__and__(fits, torch.lt(chosen[m], torch.size(weight, 0))):
                  _5 = torch.append(picked, torch.select(weight, 0, chosen[m]))
                else:
                  pass
              if torch.eq(torch.len(picked), torch.len(chosen)):
                rows0 = torch.stack(picked, 0)
              else:
                rows0 = rows
            else:
              rows0 = rows
          else:
            rows0 = rows
          rows1, found1 = rows0, found0
        else:
          rows1, found1 = rows, found
        all = annotate(List[Tensor], [])
        _6 = torch.append(all, torch.clone(scores))
        _7 = torch.append(all, torch.clone(scores))
        present = annotate(List[str], [])
        if torch.gt(torch.numel(rows1), 0):
          _8 = torch.append(all, rows1)
          _13 = torch.append(present, "1")
        else:
          _14 = torch.append(present, "0")
        for n in range(torch.len(taps)):
          if ops.prim.requires_grad(taps[n]):
            _9 = torch.append(all, torch.detach(taps[n]))
          else:
            _10 = torch.append(all, torch.clone(taps[n]))
        at = 0
        for o in range(torch.len(taps)):
          flag = "0"
          at0 = at
          if ops.prim.requires_grad(taps[o]):
            at0 = torch.add(at, 1)
            if torch.lt(at, torch.len(found1)):
              g = found1[at]
              if torch.__isnot__(g, None):
                flag = "1"
                _11 = torch.append(all, unchecked_cast(Tensor, g))
              else:
                pass
            else:
              pass
          else:
            pass
          at = at0
          _15 = torch.append(present, flag)
        texts = annotate(List[str], [])
        for p in range(torch.len(chosen)):
          _12 = torch.append(texts, torch.format("{}", chosen[p]))
        head = [torch.join(" ", texts), torch.join("", present)]
        return (all, torch.join("\\n", torch.add(head, labels)))
      """;

  private GradientFunction() {}

  /**
   * The end of a method that has run the model: variables {@code result}, {@code camhook_taps},
   * {@code camhook_labels} and {@code camhook_classes}.
   *
   * @param function qualified name of the function
   * @param weight expression for the classifier's weight, if there is one
   */
  static String call(String function, String result, @Nullable String weight) {
    String weights = weight == null ? "annotate(List[Tensor], [])" : "[" + weight + "]";
    return "    return %s(%s, camhook_taps, camhook_labels, camhook_classes, %s, )"
        .formatted(function, result, weights);
  }
}
