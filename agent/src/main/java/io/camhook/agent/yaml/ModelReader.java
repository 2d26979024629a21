package io.camhook.agent.yaml;

import io.camhook.builtin.Watches;
import io.camhook.config.CamhookConfig.CaptureKind;
import io.camhook.config.CamhookConfig.Hook;
import io.camhook.config.CamhookConfig.Kept;
import io.camhook.config.CamhookConfig.Model;
import io.camhook.config.CamhookConfig.Precision;
import io.camhook.config.CamhookConfig.Scored;
import io.camhook.config.CamhookConfig.Target;
import io.camhook.config.PlainNetwork;
import io.camhook.naming.Nearest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Reads one entry of {@code models}. */
final class ModelReader {
  private static final Map<String, CaptureKind> CAPTURES =
      Map.of(
          "image", CaptureKind.IMAGE,
          "input", CaptureKind.INPUT,
          "activation", CaptureKind.ACTIVATION,
          "gradient", CaptureKind.GRADIENT,
          "output", CaptureKind.OUTPUT);
  private static final String CAPTURE = "image, input, activation, gradient or output";
  private static final String SIMILARITY = "similarity:";
  private static final String LAYER = "a module path such as layer4.1.conv2, a glob, or auto";
  private static final String HOOK =
      String.join(", ", Watches.NAMES) + " or the full name of a class";

  private final Reading reading;
  private final @Nullable Path file;

  ModelReader(Reading reading, @Nullable Path file) {
    this.reading = reading;
    this.file = file;
  }

  Model read(Section section) {
    try (section) {
      boolean[] given =
          section.has(
              "name", "layers", "capture", "target", "labels", "hooks", "output", "classAxis");
      String name = section.text("name", "a name");
      if (!given[0]) {
        reading.report(section.at(), section.child("name"), "is missing");
      }
      List<Hook> hooks = hooks(section);
      boolean capturing = hooks.isEmpty() || given[1] || given[2] || given[3];
      Path labels = labels(section);
      Target target = target(section, labels);
      List<String> layers = layers(section, capturing ? List.of("auto") : List.of());
      PlainNetwork plain = new PlainNetworkReader(reading).read(section);
      return new Model(
          name == null ? "" : name,
          layers,
          captures(section, target, plain, capturing),
          target,
          labels,
          hooks,
          plain,
          plain == null ? scored(section) : ofPlain(section),
          kept(section));
    }
  }

  private static Kept kept(Section section) {
    return new Kept(
        section.choice(
            "precision",
            Map.of(
                "float32", Precision.FLOAT32,
                "float16", Precision.FLOAT16,
                "bfloat16", Precision.BFLOAT16),
            Precision.FLOAT32),
        section.choice("reduce", Map.of("none", false, "cam", true), false));
  }

  private List<String> layers(Section section, List<String> absent) {
    List<Scalar> layers = section.list("layers", LAYER);
    return layers == null ? absent : checked(layers);
  }

  private List<String> checked(List<Scalar> layers) {
    List<String> paths = new ArrayList<>();
    for (Scalar layer : layers) {
      String path = layer.text();
      if (!path.equals(".")
          && (path.startsWith(".") && !path.startsWith("./")
              || path.endsWith(".")
              || path.contains("..")
              || path.contains("***")
              || path.chars().anyMatch(Character::isWhitespace))) {
        reading.expected(layer, LAYER);
      } else {
        paths.add(path);
      }
    }
    return paths;
  }

  private Set<CaptureKind> captures(
      Section section, Target target, @Nullable PlainNetwork plain, boolean capturing) {
    String noGradient = noGradient(target, plain);
    Set<CaptureKind> kinds = EnumSet.noneOf(CaptureKind.class);
    List<Scalar> list = section.list("capture", CAPTURE);
    if (list == null) {
      if (capturing) {
        kinds.addAll(
            Set.of(
                CaptureKind.IMAGE,
                CaptureKind.ACTIVATION,
                CaptureKind.GRADIENT,
                CaptureKind.OUTPUT));
        if (noGradient != null) {
          kinds.remove(CaptureKind.GRADIENT);
        }
      }
      return kinds;
    }
    for (Scalar item : list) {
      CaptureKind kind = CAPTURES.get(item.text());
      if (kind == null) {
        reading.report(
            item.at(),
            item.key(),
            "expected %s, found \"%s\"%s"
                .formatted(CAPTURE, item.text(), Nearest.hint(item.text(), CAPTURES.keySet())));
      } else if (kind == CaptureKind.GRADIENT && noGradient != null) {
        reading.report(item.at(), item.key(), noGradient);
      } else {
        kinds.add(kind);
      }
    }
    return kinds;
  }

  /** Why there can be no gradient; null if there can be one. */
  private static @Nullable String noGradient(Target target, @Nullable PlainNetwork plain) {
    if (target.kind() == Target.Kind.NONE) {
      return "gradient needs a target, and target is none; remove one";
    }
    if (plain == null) {
      return null;
    }
    return plain.module().backward() == null || !plain.goesBackward()
        ? "gradient needs the key backward, the name of the method; add it or remove gradient"
        : null;
  }

  private Scored ofPlain(Section section) {
    if (section.has("classAxis")) {
      reading.report(
          section.at(), section.child("classAxis"), "does not belong to a plain Java network");
    }
    return Scored.USUAL;
  }

  /** For a plain Java network, {@code output} is a place in its methods, read elsewhere. */
  private Scored scored(Section section) {
    String output = section.text("output", "the position of an output, or its key in a dict");
    Scalar axis = section.scalar("classAxis", "an axis from 1 on");
    if (axis != null && !axis.text().matches("[1-9]")) {
      reading.expected(axis, "an axis from 1 to 9");
      return new Scored(output, null);
    }
    return new Scored(output, axis == null ? null : Integer.valueOf(axis.text()));
  }

  private @Nullable Path labels(Section section) {
    Scalar scalar = section.scalar("labels", "a file with one class name a line");
    if (scalar == null) {
      return null;
    }
    Path labels = beside(scalar.text());
    if (!Files.isReadable(labels) || Files.isDirectory(labels)) {
      reading.report(
          scalar.at(),
          scalar.key(),
          "expected a file with one class name a line, found none at " + labels.toAbsolutePath());
      return null;
    }
    return labels;
  }

  private Target target(Section section, @Nullable Path labels) {
    String expected = "top1, topN, class:N, label:NAME, similarity:FILE, loss or none";
    Scalar scalar = section.scalar("target", expected);
    if (scalar == null) {
      return Target.TOP1;
    }
    String text = scalar.text();
    if (text.equals("none")) {
      return Target.NONE;
    }
    if (text.equals("loss")) {
      if (!section.has("class")) {
        reading.report(
            scalar.at(),
            scalar.key(),
            "loss belongs to a plain Java network: class is missing; expected top1, topN, class:N,"
                + " label:NAME or none");
      }
      return Target.LOSS;
    }
    if (text.matches("top[1-9]\\d{0,5}")) {
      return new Target(Target.Kind.TOP, Integer.parseInt(text.substring(3)), -1, null);
    }
    if (text.matches("class:\\d{1,9}")) {
      return new Target(Target.Kind.CLASS, 1, Integer.parseInt(text.substring(6)), null);
    }
    if (text.startsWith("label:") && text.length() > 6) {
      String label = text.substring(6).trim();
      checkLabel(scalar, label, labels, section);
      return new Target(Target.Kind.LABEL, 1, -1, label);
    }
    if (text.startsWith(SIMILARITY) && text.length() > SIMILARITY.length()) {
      Path other = beside(text.substring(SIMILARITY.length()).trim());
      if (!Files.isReadable(other) || Files.isDirectory(other)) {
        reading.report(
            scalar.at(),
            scalar.key(),
            "expected a .safetensors file with an output of the model, found none at "
                + other.toAbsolutePath());
      }
      return new Target(Target.Kind.SIMILARITY, 1, -1, other.toString());
    }
    reading.expected(scalar, expected);
    return Target.TOP1;
  }

  /** A file that the configuration names; relative paths start at the configuration's folder. */
  private Path beside(String name) {
    Path directory = file == null ? null : file.toAbsolutePath().getParent();
    try {
      return directory == null ? Path.of(name) : directory.resolve(name);
    } catch (InvalidPathException e) { // not a valid file name: no such file is found
      return Path.of(name.replaceAll("[^\\p{L}\\p{N} ._/-]", "?"));
    }
  }

  private void checkLabel(Scalar scalar, String label, @Nullable Path labels, Section section) {
    if (labels == null) {
      if (!section.has("labels")) {
        reading.report(scalar.at(), scalar.key(), "label:… needs the key labels");
      }
      return;
    }
    try {
      List<String> names = Files.readAllLines(labels).stream().map(String::trim).toList();
      if (!names.contains(label)) {
        reading.report(
            scalar.at(),
            scalar.key(),
            "expected a label of %s, found \"%s\"%s"
                .formatted(labels.getFileName(), label, Nearest.hint(label, names)));
      }
    } catch (IOException e) {
      reading.report(scalar.at(), scalar.key(), labels + " cannot be read: " + e.getMessage());
    }
  }

  private List<Hook> hooks(Section section) {
    List<Hook> hooks = new ArrayList<>();
    for (Section entry : section.sections("hooks")) {
      try (entry) {
        List<Scalar> layers = entry.list("layers", LAYER);
        String hook = hookName(entry);
        if ("nan-guard".equals(hook)) {
          entry.choice("action", Map.of("warn", 1, "throw", 2), 1);
        }
        boolean builtIn = Watches.NAMES.contains(hook);
        boolean replaces = !builtIn && entry.flag("replace", false);
        Map<String, String> options = builtIn ? known(entry, hook) : entry.others();
        hooks.add(
            new Hook(layers == null ? List.of("*") : checked(layers), hook, replaces, options));
      }
    }
    return hooks;
  }

  private String hookName(Section entry) {
    Scalar scalar = entry.scalar("hook", HOOK);
    if (scalar == null) {
      reading.report(entry.at(), entry.child("hook"), "is missing; expected " + HOOK);
      return "";
    }
    String name = scalar.text();
    if (!Watches.NAMES.contains(name)
        && !name.matches("[\\p{L}_$][\\p{L}\\p{N}_$]*(\\.[\\p{L}_$][\\p{L}\\p{N}_$]*)+")) {
      reading.report(
          scalar.at(),
          scalar.key(),
          "expected %s, found \"%s\"%s".formatted(HOOK, name, Nearest.hint(name, Watches.NAMES)));
    }
    return name;
  }

  private Map<String, String> known(Section entry, String hook) {
    if (hook.equals("stats")) {
      return stats(entry);
    }
    Scalar action = hook.equals("nan-guard") ? entry.scalar("action", "warn or throw") : null;
    return action == null ? Map.of() : Map.of("action", action.text());
  }

  private Map<String, String> stats(Section entry) {
    Map<String, String> options = new TreeMap<>();
    Scalar baseline = entry.scalar("baseline", "a file of camhook baseline");
    if (baseline != null) {
      Path path = beside(baseline.text());
      if (!Files.isReadable(path) || Files.isDirectory(path)) {
        reading.report(
            baseline.at(),
            baseline.key(),
            "expected a file of camhook baseline, found none at " + path.toAbsolutePath());
      }
      options.put("baseline", path.toString());
    }
    Scalar warn = entry.scalar("warn", "standard deviations");
    if (warn != null) {
      options.put("warn", Double.toString(entry.number("warn", 0, Double.POSITIVE_INFINITY, 4)));
      if (baseline == null) {
        reading.report(warn.at(), warn.key(), "needs the key baseline");
      }
    }
    return options;
  }
}
