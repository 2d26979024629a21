package io.camhook.cli;

import io.camhook.explain.ModelListing;
import io.camhook.naming.ModuleDescription;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** A model's modules as a table. */
final class LayersText {
  private static final String GAP = "  ";

  private LayersText() {}

  static String of(ModelListing listing) {
    List<List<String>> rows = new ArrayList<>();
    List<String> head =
        new ArrayList<>(
            List.of("path", listing.missing() == null ? "type" : "operator", "parameters"));
    if (listing.hasOutputs()) {
      head.addAll(List.of("calls", "output"));
    }
    head.add("");
    rows.add(head);
    for (ModuleDescription module : listing.modules()) {
      rows.add(row(listing, module));
    }
    StringBuilder text = new StringBuilder(table(rows));
    long operators = listing.listedInside().size();
    text.append("%d modules, ".formatted(listing.modules().size() - operators));
    text.append(operators == 0 ? "" : operators + " operators in their code, ");
    text.append("%s parameters%n".formatted(grouped(listing.parameters())));
    if (listing.operatorsOnly() != null) {
      text.append(listing.operatorsOnly()).append('\n');
    }
    if (listing.rootOnly() != null) {
      text.append(listing.rootOnly()).append('\n');
    } else if (listing.hasOutputs()) {
      String auto = listing.auto();
      text.append(
          auto == null
              ? "auto: no module returns more than one position, such as [N,C,H,W] with H·W > 1;"
                  + " name a layer with -l\n"
              : "auto: " + auto + "\n");
    }
    return text.toString();
  }

  private static List<String> row(ModelListing listing, ModuleDescription module) {
    long parameters = module.parameterCount();
    List<String> row = new ArrayList<>();
    row.add(module.path());
    row.add(simple(module.type()));
    row.add(parameters == 0 ? "" : grouped(parameters));
    if (listing.hasOutputs()) {
      int calls = listing.calls(module.path());
      row.add(calls == 0 ? "" : Integer.toString(calls));
      row.add(outputs(listing, module));
    }
    row.add(notes(listing, module));
    return row;
  }

  private static String outputs(ModelListing listing, ModuleDescription module) {
    return listing.outputs().getOrDefault(module.path(), List.of()).stream()
        .map(output -> shape(output.shape()))
        .distinct()
        .collect(Collectors.joining(" "));
  }

  private static String notes(ModelListing listing, ModuleDescription module) {
    List<String> notes = new ArrayList<>();
    if (!module.aliases().isEmpty()) {
      notes.add("also " + String.join(", ", module.aliases()));
    }
    if (module.training()) {
      notes.add("in training mode");
    }
    Map<String, String> missing = listing.missing();
    if (missing != null) {
      if (missing.containsKey(module.path())) {
        notes.add("not in the graph: " + missing.get(module.path()));
      }
    } else if (module.callSites() == 0
        && listing.calls(module.path()) == 0
        && listing.operatorsOnly() == null) {
      notes.add("never called");
    }
    return String.join("; ", notes);
  }

  private static String simple(String type) {
    return type.substring(type.lastIndexOf('.') + 1);
  }

  static String shape(List<Long> shape) {
    return shape.isEmpty()
        ? "scalar"
        : shape.stream().map(String::valueOf).collect(Collectors.joining("x"));
  }

  private static String grouped(long number) {
    return String.format(Locale.ROOT, "%,d", number);
  }

  private static String table(List<List<String>> rows) {
    int[] widths = new int[rows.get(0).size()];
    for (List<String> row : rows) {
      for (int i = 0; i < widths.length; i++) {
        widths[i] = Math.max(widths[i], row.get(i).length());
      }
    }
    StringBuilder text = new StringBuilder();
    for (List<String> row : rows) {
      StringBuilder line = new StringBuilder();
      for (int i = 0; i < widths.length; i++) {
        String cell = row.get(i);
        char[] padding = new char[widths[i] - cell.length()];
        Arrays.fill(padding, ' ');
        boolean number = i == 2 || i == 3 && widths.length > 4;
        line.append(number ? new String(padding) + cell : cell + new String(padding)).append(GAP);
      }
      text.append(line.toString().stripTrailing()).append('\n');
    }
    return text.toString();
  }
}
