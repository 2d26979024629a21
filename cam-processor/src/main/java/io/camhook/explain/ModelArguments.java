package io.camhook.explain;

import io.camhook.naming.ModelArgument;
import io.camhook.recording.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/** Arranges the tensors of an input in the order and under the names that a model expects. */
final class ModelArguments {
  private static final String BY_POSITION = "input\\d*";
  private static final String POSITIONS = "positions";

  private ModelArguments() {}

  /**
   * The arguments passed to the engine.
   *
   * @param tensors in order
   * @param names for the engine, as {@link io.camhook.engine.ModelSession.Use}; empty: by position
   */
  record Fed(List<Tensor> tensors, List<String> names) {}

  /**
   * Arranges.
   *
   * @param arguments of the model's forward; empty if they are not known
   * @throws ExplainException if the names are not those of the arguments
   */
  static Fed of(ModelInput input, List<ModelArgument> arguments) {
    boolean dict = !arguments.isEmpty() && arguments.get(0).isDict();
    if (input.isText() && !dict) {
      return ofText(input, arguments);
    }
    boolean byPosition = input.names().stream().allMatch(name -> name.matches(BY_POSITION));
    boolean known = !arguments.isEmpty();
    if (byPosition && known && arguments.get(0).isDict()) {
      throw new ExplainException(
          "the model takes a dict of tensors (%s); name the tensors of the file by its keys, such as input_ids and attention_mask, found %s"
              .formatted(arguments.get(0), input.names()));
    }
    if (byPosition && known && arguments.get(0).isList()) {
      String name = arguments.get(0).name() + "[]";
      return new Fed(input.tensors(), input.tensors().stream().map(each -> name).toList());
    }
    if (byPosition) {
      requireCount(input, arguments);
      return new Fed(input.tensors(), List.of());
    }
    if (!known) {
      throw new ExplainException(
          "expected a tensor 'input', or 'input0', 'input1' and so on, found %s"
              .formatted(input.names()));
    }
    return byName(input, arguments);
  }

  /**
   * The arguments for a text, by the names of the model's arguments; without meaningful names in
   * BERT's order: ids, mask, types.
   */
  private static Fed ofText(ModelInput input, List<ModelArgument> arguments) {
    Map<String, Tensor> left = new LinkedHashMap<>();
    for (int i = 0; i < input.names().size(); i++) {
      left.put(input.names().get(i), input.tensors().get(i));
    }
    Tensor ids = input.tensors().get(0);
    if (arguments.isEmpty()) {
      return new Fed(List.of(ids), List.of());
    }
    Map<String, Tensor> given = new LinkedHashMap<>();
    for (ModelArgument argument : arguments) {
      String role = role(argument.name());
      if (role != null && (left.containsKey(role) || role.equals(POSITIONS))) {
        given.put(
            argument.name(),
            role.equals(POSITIONS) ? positions(ids) : Objects.requireNonNull(left.remove(role)));
      }
    }
    List<Tensor> tensors = new ArrayList<>();
    for (ModelArgument argument : arguments) {
      Tensor known = given.get(argument.name());
      if (known == null && !left.isEmpty() && !argument.isOptional()) {
        known = left.remove(left.keySet().iterator().next());
      }
      if (known == null && !argument.isOptional()) {
        throw new ExplainException(
            "the model takes %s; a text gives ids, a mask, types and positions, and nothing for '%s'; give its tensors as a .safetensors"
                .formatted(
                    String.join(", ", arguments.stream().map(ModelArgument::toString).toList()),
                    argument.name()));
      }
      if (known == null) {
        break; // the engine cannot leave out one in the middle
      }
      tensors.add(known);
    }
    return new Fed(tensors, List.of());
  }

  /** The role of a text model's argument; null if its name does not show it. */
  private static @Nullable String role(String name) {
    String lower = name.toLowerCase(Locale.ROOT);
    if (lower.contains("mask")) {
      return TextTokenizer.MASK;
    }
    if (lower.contains("type") || lower.contains("segment")) {
      return TextTokenizer.TYPES;
    }
    if (lower.contains("position")) {
      return POSITIONS;
    }
    return lower.contains("ids") || lower.contains("token") ? TextTokenizer.IDS : null;
  }

  private static Tensor positions(Tensor ids) {
    return Tensor.ofLongs(LongStream.range(0, ids.elements()).toArray(), ids.shape());
  }

  private static Fed byName(ModelInput input, List<ModelArgument> arguments) {
    Map<String, Tensor> left = new LinkedHashMap<>();
    for (int i = 0; i < input.names().size(); i++) {
      left.put(input.names().get(i), input.tensors().get(i));
    }
    List<Tensor> tensors = new ArrayList<>();
    List<String> names = new ArrayList<>();
    String missing = null;
    for (ModelArgument argument : arguments) {
      Tensor own = left.remove(argument.name());
      if (argument.isDict() && own == null) {
        left.forEach(
            (key, tensor) -> {
              tensors.add(tensor);
              names.add(argument.name() + "." + key);
            });
        left.clear();
      } else if (own == null) {
        missing = missing == null ? argument.name() : missing;
        if (!argument.isOptional()) {
          throw wrong(input, arguments);
        }
      } else if (missing != null) {
        throw new ExplainException(
            "'%s' is given and '%s' before it is not, which this engine cannot leave out; add a tensor '%s'"
                .formatted(argument.name(), missing, missing));
      } else {
        tensors.add(own);
        names.add(argument.isList() ? argument.name() + "[]" : argument.name());
      }
    }
    if (!left.isEmpty() || tensors.isEmpty()) {
      throw wrong(input, arguments);
    }
    boolean plain = arguments.stream().noneMatch(each -> each.isDict() || each.isList());
    return new Fed(tensors, plain ? List.of() : names);
  }

  private static void requireCount(ModelInput input, List<ModelArgument> arguments) {
    int given = input.tensors().size();
    long least = arguments.stream().filter(each -> !each.isOptional()).count();
    boolean plain = arguments.stream().noneMatch(each -> each.isDict() || each.isList());
    if (plain && !arguments.isEmpty() && (given < least || given > arguments.size())) {
      throw new ExplainException(
          "the model takes %d input%s (%s), found %d; give it a .safetensors file with a tensor for each, named %s"
              .formatted(
                  arguments.size(),
                  arguments.size() == 1 ? "" : "s",
                  String.join(", ", arguments.stream().map(ModelArgument::toString).toList()),
                  given,
                  String.join(", ", arguments.stream().map(ModelArgument::name).toList())));
    }
  }

  private static ExplainException wrong(ModelInput input, List<ModelArgument> arguments) {
    return new ExplainException(
        "the model takes %s; expected tensors of these names, or 'input', or 'input0', 'input1' and so on, found %s"
            .formatted(
                String.join(", ", arguments.stream().map(ModelArgument::toString).toList()),
                input.names()));
  }
}
