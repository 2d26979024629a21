package io.camhook.explain;

import io.camhook.cam.Layout;
import io.camhook.engine.ModelSession;
import io.camhook.recording.LayerOutput;
import io.camhook.recording.Tensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The inputs of a model that are explained, the form in which methods see them, and the input that
 * each layer's output lies over: a backbone that is called twice has a map over each of its
 * pictures.
 */
final class ExplainedInputs {
  private final ModelSession session;
  private final Layouts layouts;
  private final List<Tensor> inputs;
  private final List<Integer> explained;
  private final Map<LayerOutput, Tensor> activations;
  private final Map<LayerOutput, Integer> owners;
  private final Map<Integer, LayoutProbe> probes = new HashMap<>();
  private final Map<Integer, InputForm> forms = new HashMap<>();

  /**
   * @param wanted the input that the user named; null for all pictures, or for the other inputs if
   *     there are none
   * @param owners what is known so far about the layers; is extended
   */
  ExplainedInputs(
      ModelSession session,
      Layouts layouts,
      List<Tensor> inputs,
      @Nullable Integer wanted,
      Map<LayerOutput, Tensor> activations,
      Map<LayerOutput, Integer> owners) {
    this.session = session;
    this.layouts = layouts;
    this.inputs = inputs;
    this.explained = wanted == null ? usual(inputs) : List.of(wanted);
    this.activations = activations;
    this.owners = owners;
  }

  /**
   * All picture-like inputs; if there are none, the first numeric input, the first with several
   * values, or the first.
   */
  private static List<Integer> usual(List<Tensor> inputs) {
    List<Integer> found = new ArrayList<>();
    for (int i = 0; i < inputs.size(); i++) {
      Tensor input = inputs.get(i);
      if (InputForm.isFloating(input) && input.rank() >= 3 && input.elements() > 1) {
        found.add(i);
      }
    }
    for (int i = 0; i < inputs.size() && found.isEmpty(); i++) {
      Tensor input = inputs.get(i);
      if (InputForm.isFloating(input) && input.rank() == 2 && input.size(1) > 1) {
        found.add(i);
      }
    }
    for (int i = 0; i < inputs.size() && found.isEmpty(); i++) {
      if (inputs.get(i).rank() == 2 && isId(inputs.get(i))) {
        found.add(i);
      }
    }
    return found.isEmpty() ? List.of(0) : List.copyOf(found);
  }

  /** Whether one input holds token ids, and no input is a picture or otherwise numeric. */
  static boolean areWords(List<Tensor> inputs) {
    Tensor primary = inputs.get(usual(inputs).get(0));
    return primary.rank() == 2 && !InputForm.isFloating(primary);
  }

  /** Neither a mask of zeros and ones nor segments. */
  private static boolean isId(Tensor input) {
    for (float v : input.toFloats()) {
      if (v > 1) {
        return true;
      }
    }
    return false;
  }

  /** Positions among the model's inputs. */
  List<Integer> explained() {
    return explained;
  }

  /** The explained input, if there is only one. */
  int primary() {
    return explained.get(0);
  }

  LayoutProbe probe(int input) {
    return probes.computeIfAbsent(input, i -> new LayoutProbe(session, inputs, i));
  }

  /** The input that a layer's output lies over. */
  int owner(LayerOutput layer) {
    if (explained.size() == 1) {
      return primary();
    }
    return owners.computeIfAbsent(
        layer,
        each -> {
          List<Integer> on = explained.stream().filter(i -> probe(i).depends(each)).toList();
          return on.size() == 1 ? on.get(0) : primary();
        });
  }

  /**
   * The layout of a layer's output.
   *
   * @throws io.camhook.cam.CamException if it has no spatial extent, or it is not clear which axes
   *     it has
   */
  Layout layout(LayerOutput layer, Tensor activation) {
    int owner = owner(layer);
    return layouts.of(layer, activation, inputs.get(owner), () -> probe(owner));
  }

  /** The form of an input. */
  InputForm form(int input) {
    InputForm known = forms.get(input);
    if (known == null) {
      known = InputForm.of(inputs.get(input), hasChannelsLast(input));
      forms.put(input, known);
    }
    return known;
  }

  private boolean hasChannelsLast(int input) {
    Tensor tensor = inputs.get(input);
    if (tensor.rank() != 3) {
      return InputForm.hasChannelsLast(tensor);
    }
    for (Map.Entry<LayerOutput, Tensor> each : activations.entrySet()) {
      if (each.getValue().rank() == 3 && owner(each.getKey()) == input) {
        try {
          Layout layout = layout(each.getKey(), each.getValue());
          return Layouts.inputHasChannelsLast(
              tensor, each.getKey(), layout, each.getValue(), () -> probe(input));
        } catch (io.camhook.cam.CamException e) {
          // the next layer may show it
        }
      }
    }
    return false;
  }

  /** An input as methods see it, {@code [1,C,…]}. */
  Tensor forMethods(int input) {
    return form(input).forMethods(inputs.get(input));
  }
}
