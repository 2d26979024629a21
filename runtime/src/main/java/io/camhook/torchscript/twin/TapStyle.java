package io.camhook.torchscript.twin;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;

/**
 * What a tap does with a tensor, as TorchScript functions over {@code (value, taps, labels, at,
 * mode, …)}: {@code mode} is what the analysis of the code knows about the call; the last argument
 * is what this pass wants.
 */
enum TapStyle {
  /**
   * For captures. The recorded tensor is the start of the graph ("cut") if nothing before it needs
   * a gradient. Its value must be the one at hook time. If the value is changed in place later, the
   * program continues with a copy; if another variable shares its memory, the program must see the
   * change there too, so the value goes through a copy and back: the copy is recorded, and the
   * gradient of everything that shares the memory flows through it, as in PyTorch. A value in
   * oneDNN's blocked layout is recorded dense and has no gradient.
   */
  CUT(
      "grad: bool",
      "camhook_grad",
      "bool",
      """
      def tensor(x: Tensor,
      PARAMETERSTensor:
        shared = torch.ne(torch.__and__(mode, 1), 0)
        changed = torch.ne(torch.__and__(mode, 2), 0)
        aliased = torch.eq(torch.__and__(mode, 5), 4)
        blocked = ops.prim.is_mkldnn(x)
        if torch.__and__(grad, torch.__not__(blocked)):
          differentiable = torch.is_floating_point(x)
        else:
          differentiable = False
        if differentiable:
          if torch.__and__(changed, aliased):
            copy = torch.clone(x)
            if ops.prim.requires_grad(copy):
              a = copy
            else:
              a = torch.requires_grad_(copy)
            _1 = torch.copy_(x, a)
            y = x
          else:
            if ops.prim.requires_grad(x):
              a = x
            else:
              if shared:
                a = torch.requires_grad_(torch.detach(x))
              else:
                a = torch.requires_grad_(x)
            if changed:
              y = torch.alias(torch.clone(a))
            else:
              y = torch.alias(a)
        else:
          if blocked:
            a = torch.detach(torch.to_dense(x))
          else:
            if changed:
              a = torch.clone(x)
            else:
              a = x
          y = x
        if torch.__and__(grad, blocked):
          said = torch.add(at, "~")
        else:
          said = at
        _0 = torch.append(labels, said)
        _2 = torch.append(taps, a)
        return y
      def own(x: Tensor) -> Tensor:
        if torch.is_inference(x):
          y = torch.clone(x)
        else:
          y = torch.detach(x)
        return y
      """),

  /**
   * For hooks that only look: nothing is cut, and nothing is done if {@code wanted} is 0. 1
   * requests the value. 3 requests a node in the graph that belongs to this call's result (or
   * argument) alone, as with PyTorch's backward hooks: if the value needs a gradient, a separate
   * node is recorded, and the program continues after it. An argument that is changed in place has
   * no such node; its value is recorded without a graph.
   */
  OBSERVE(
      "wanted: int",
      "camhook_wanted",
      "List[int]",
      """
      def tensor(x: Tensor,
      PARAMETERSTensor:
        if torch.eq(wanted, 0):
          y = x
        else:
          _0 = torch.append(labels, at)
          changed = torch.ne(torch.__and__(mode, 2), 0)
          aliased = torch.eq(torch.__and__(mode, 5), 4)
          argument = torch.ne(torch.__and__(mode, 8), 0)
          if torch.gt(wanted, 1):
            graph = ops.prim.requires_grad(x)
          else:
            graph = False
          if torch.__and__(graph, torch.__not__(torch.__and__(changed, argument))):
            if changed:
              if aliased:
                a = torch.clone(x)
                _1 = torch.copy_(x, a)
                y = x
              else:
                a = torch.alias(x)
                y = torch.clone(a)
            else:
              a = torch.alias(x)
              y = a
          else:
            if changed:
              a = torch.detach(torch.clone(x))
            else:
              a = x
            y = x
          _2 = torch.append(taps, a)
        return y
      """),

  /**
   * For hooks that may replace values: the pass stops at the call and waits ({@link
   * TapFunctions#forStop}). {@code mode} 0 records a value, 1 takes the next one of {@code answers}
   * in its place.
   */
  STOP(
      "answers: List[Tensor]",
      Map.of(
          "camhook_answers",
          "List[Tensor]",
          "camhook_door",
          "Tensor",
          "camhook_wanted",
          "List[int]"),
      """
      def tensor(x: Tensor,
      PARAMETERSTensor:
        if torch.eq(mode, 0):
          _0 = torch.append(taps, x)
          _1 = torch.append(labels, at)
          y = x
        else:
          y = torch.pop(answers, 0)
        return y
      def stop(door: Tensor,
          number: int) -> bool:
        _0 = torch.fill_(door, number)
        said = number
        while torch.gt(said, 0):
          said = int(torch.item(door))
        if torch.eq(said, -2):
          ops.prim.RaiseException("camhook: a hook threw")
        else:
          pass
        return torch.eq(said, -1)
      """);

  /** Ends the label of a value in oneDNN's blocked layout, if gradients are wanted. */
  static final String BLOCKED = "~";

  private final String parameter;
  private final Map<String, String> handed;
  private final String functions;

  TapStyle(String parameter, String handedName, String handedType, String functions) {
    this(parameter, Map.of(handedName, handedType), functions);
  }

  TapStyle(String parameter, Map<String, String> handed, String functions) {
    this.parameter = parameter;
    this.handed = new TreeMap<>(handed);
    this.functions = functions;
  }

  /** Parameters of the functions after the value, up to the type of the result. */
  String parameters() {
    return "    taps: List[Tensor],\n"
        + "    labels: List[str],\n"
        + "    at: str,\n"
        + "    mode: int,\n    "
        + parameter
        + ") -> ";
  }

  /** Name of the last parameter. */
  String last() {
    return parameter.substring(0, parameter.indexOf(':'));
  }

  /** The functions for a tensor. */
  String tensor() {
    return functions.replace("PARAMETERS", parameters());
  }

  /** The parameters that twins pass down, name to type. */
  Map<String, String> handed() {
    Map<String, String> all = new LinkedHashMap<>();
    all.put("camhook_taps", "List[Tensor]");
    all.put("camhook_labels", "List[str]");
    all.putAll(handed);
    return all;
  }
}
