package io.camhook.djl.model;

import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.util.Pair;
import io.camhook.djl.autograd.Tensors;
import io.camhook.naming.ModuleDescription;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/**
 * The modules of a model made of Java blocks, in the form in which {@code camhook layers} lists an
 * archive's modules.
 */
public final class BlockListing {
  private BlockListing() {}

  /** Each block once, under the first of its paths; its other paths and spellings are aliases. */
  public static List<ModuleDescription> of(Block root) {
    Map<Block, List<String>> aliases = new IdentityHashMap<>();
    List<BlockTree.Module> first = new ArrayList<>();
    for (BlockTree.Module module : BlockTree.of(root)) {
      List<String> names = aliases.get(module.block());
      if (names == null) {
        aliases.put(module.block(), spelled(module.path().segments()));
        first.add(module);
      } else {
        names.addAll(spelled(module.path().segments()));
      }
    }
    List<ModuleDescription> modules = new ArrayList<>();
    for (BlockTree.Module module : first) {
      String path = module.path().toString();
      List<String> others = aliases.get(module.block());
      modules.add(
          new ModuleDescription(
              path,
              module.block().getClass().getName(),
              others == null ? List.of() : others.stream().filter(o -> !o.equals(path)).toList(),
              parameters(module.block()),
              false,
              1));
    }
    return modules;
  }

  /** Every way to write a path. */
  private static List<String> spelled(List<List<String>> segments) {
    List<String> paths = new ArrayList<>(List.of(segments.isEmpty() ? "." : ""));
    for (List<String> spellings : segments) {
      List<String> longer = new ArrayList<>();
      for (String path : paths) {
        for (String spelling : spellings) {
          longer.add(path.isEmpty() ? spelling : path + "." + spelling);
        }
      }
      paths = longer;
    }
    return paths;
  }

  private static List<ModuleDescription.Parameter> parameters(Block block) {
    List<ModuleDescription.Parameter> parameters = new ArrayList<>();
    for (Pair<String, Parameter> entry : block.getDirectParameters()) {
      Parameter parameter = entry.getValue();
      if (parameter.isInitialized()) {
        Shape shape = parameter.getArray().getShape();
        parameters.add(
            new ModuleDescription.Parameter(
                entry.getKey(),
                Tensors.dtype(parameter.getArray().getDataType()).name(),
                Arrays.stream(shape.getShape()).boxed().toList(),
                isStatistic(parameter)));
      }
    }
    return parameters;
  }

  private static boolean isStatistic(Parameter parameter) {
    return parameter.getName().startsWith("running");
  }
}
