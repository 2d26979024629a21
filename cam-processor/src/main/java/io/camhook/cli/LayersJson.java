package io.camhook.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.camhook.explain.ModelListing;
import io.camhook.naming.ModuleDescription;
import java.util.List;
import java.util.Map;

/** A model's modules as JSON; docs/torchscript.md explains the fields. */
final class LayersJson {
  private static final ObjectMapper JSON =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

  private LayersJson() {}

  static String of(ModelListing listing) {
    ObjectNode root = JSON.createObjectNode();
    root.put("model", listing.model().toString());
    root.put("parameters", listing.parameters());
    if (listing.hasOutputs()) {
      root.put("auto", listing.auto());
    }
    root.put("rootOnly", listing.rootOnly());
    root.put("operatorsOnly", listing.operatorsOnly());
    ArrayNode modules = root.putArray("modules");
    for (ModuleDescription module : listing.modules()) {
      add(listing, module, modules.addObject());
    }
    try {
      return JSON.writeValueAsString(root) + "\n";
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  private static void add(ModelListing listing, ModuleDescription module, ObjectNode node) {
    node.put("path", module.path());
    node.put("type", module.type());
    node.put("parameters", module.parameterCount());
    ArrayNode tensors = node.putArray("tensors");
    for (ModuleDescription.Parameter parameter : module.parameters()) {
      ObjectNode tensor = tensors.addObject();
      tensor.put("name", parameter.name());
      tensor.put("dtype", parameter.dtype());
      sizes(tensor, parameter.shape());
      tensor.put("buffer", parameter.buffer());
    }
    ArrayNode aliases = node.putArray("aliases");
    module.aliases().forEach(aliases::add);
    Map<String, String> missing = listing.missing();
    if (missing != null) {
      node.put("operator", module.type());
      node.put("inGraph", !missing.containsKey(module.path()));
      node.put("reason", missing.get(module.path()));
    }
    node.put("training", module.training());
    node.put("callSites", module.callSites());
    if (listing.hasOutputs()) {
      node.put("calls", listing.calls(module.path()));
      ArrayNode outputs = node.putArray("outputs");
      for (ModelListing.Output output : listing.outputs().getOrDefault(module.path(), List.of())) {
        ObjectNode each = outputs.addObject();
        each.put("name", output.name());
        each.put("dtype", output.dtype());
        sizes(each, output.shape());
      }
    }
  }

  private static void sizes(ObjectNode node, List<Long> shape) {
    ArrayNode sizes = node.putArray("shape");
    shape.forEach(sizes::add);
  }
}
