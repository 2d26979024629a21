package io.camhook.torchscript.twin;

import io.camhook.torchscript.flow.MethodContext;
import io.camhook.torchscript.source.Expr;
import io.camhook.torchscript.source.Printer;
import io.camhook.torchscript.source.Stmt;
import java.util.List;

/** The common beginning of the methods that are added to the root for the runtime to call. */
final class RootMethod {
  private final MethodContext root;
  private final String own;

  /**
   * @param own function that takes a tensor from the caller, so that no gradient flag can reach the
   *     caller through it
   */
  RootMethod(MethodContext root, String own) {
    this.root = root;
    this.own = own;
  }

  /** The type of what {@code forward} returns. */
  String returns() {
    Expr returns = root.method().returns();
    return returns == null ? "Tensor" : Printer.print(returns);
  }

  boolean returnsTensor() {
    return root.method().returns() != null && returns().equals("Tensor");
  }

  /**
   * Definition line, the lists that taps fill, and the inputs of {@code forward} as in {@link
   * #inputs}.
   *
   * @param more parameters before the inputs
   */
  StringBuilder takingInputs(String name, String more, String returns) {
    StringBuilder begin = takingInputsAsTheyAre(name, more, returns);
    List<Stmt.Parameter> parameters = root.method().parameters();
    for (Stmt.Parameter parameter : parameters.subList(1, parameters.size())) {
      if (isTensor(parameter)) {
        begin.append(owned(parameter.name()));
      }
    }
    return begin;
  }

  /**
   * Like {@link #takingInputs}, with the inputs under their own names, for a pass without autograd.
   */
  StringBuilder takingInputsAsTheyAre(String name, String more, String returns) {
    List<Stmt.Parameter> parameters = root.method().parameters();
    String text = root.source().file().text();
    int to = parameters.get(parameters.size() - 1).end();
    return begin(name, more + text.substring(parameters.get(0).end(), to), returns);
  }

  /** Like {@link #takingInputs}, with one tensor instead of the inputs: {@code camhook_in_NAME}. */
  StringBuilder taking(String tensor, String name, String more, String returns) {
    String parameter = more + ",\n    " + tensor + ": Tensor";
    return begin(name, parameter, returns).append(owned(tensor));
  }

  private String owned(String tensor) {
    return "    camhook_in_" + tensor + " = " + own + "(" + tensor + ", )\n";
  }

  private StringBuilder begin(String name, String parameters, String returns) {
    Stmt.Parameter self = root.method().parameters().get(0);
    StringBuilder begin = new StringBuilder("def ").append(name).append('(');
    begin.append(root.source().file().text(), self.start(), self.end()).append(parameters);
    begin.append(") -> ").append(returns).append(":\n");
    begin.append("    camhook_taps = annotate(List[Tensor], [])\n");
    return begin.append("    camhook_labels = annotate(List[str], [])\n");
  }

  /** The inputs as arguments, each before a comma. */
  String inputs() {
    return inputs("camhook_in_");
  }

  /** The same after {@link #takingInputsAsTheyAre}. */
  String inputsAsTheyAre() {
    return inputs("");
  }

  private String inputs(String beforeTensors) {
    List<Stmt.Parameter> parameters = root.method().parameters();
    StringBuilder inputs = new StringBuilder();
    for (Stmt.Parameter parameter : parameters.subList(1, parameters.size())) {
      inputs.append(isTensor(parameter) ? beforeTensors : "");
      inputs.append(parameter.name()).append(", ");
    }
    return inputs.toString();
  }

  private static boolean isTensor(Stmt.Parameter parameter) {
    return parameter.type() != null && Printer.print(parameter.type()).equals("Tensor");
  }
}
