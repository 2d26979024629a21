package io.camhook.agent.yaml;

import io.camhook.config.FlatInputShape;
import io.camhook.config.Place;
import io.camhook.config.PlainNetwork;
import io.camhook.config.PlainNetwork.Layerwise;
import io.camhook.config.PlainNetwork.Methods;
import io.camhook.config.PlainNetwork.Values;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Reads the settings of a plain Java network: {@code class} and the keys that go with it. */
final class PlainNetworkReader {
  private static final String TYPE = "the name of a class, interface or annotation, or a glob";
  private static final String METHOD =
      "a method's name, or its signature such as forward(float[],int)";
  private static final String MEMBER =
      "the name of a field or of a method without arguments, or several joined by dots";
  private static final String NAME = "[\\p{L}_$][\\p{L}\\p{N}_$]*";
  private static final String STEP = NAME + "(\\(\\))?";
  private static final String STEPS = "(\\.(" + STEP + "|\\d{1,3}|\\*))*";
  private static final List<String> KEYS =
      List.of(
          "root",
          "forward",
          "backward",
          "input",
          "gradOutput",
          "gradInput",
          "value",
          "shape",
          "make",
          "arguments",
          "inputShape");
  private static final String BY_LAYERS = "by layers";
  private static final String MAKE =
      "a static method with the types of its parameters, numbers and sizes, such as"
          + " com.acme.Tensor.of(float[],int[])";

  private final Reading reading;

  PlainNetworkReader(Reading reading) {
    this.reading = reading;
  }

  @Nullable PlainNetwork read(Section model) {
    if (!model.has("class")) {
      for (String key : KEYS) {
        if (model.has(key)) {
          reading.report(
              model.at(), model.child(key), "belongs to a plain Java network: class is missing");
        }
      }
      return null;
    }
    Methods module = methods(model, "forward", null);
    Values values =
        values(
            model,
            new Values(
                Place.FIRST_TENSOR_ARGUMENT,
                Place.RETURN,
                Place.FIRST_TENSOR_ARGUMENT,
                Place.RETURN,
                null,
                null,
                null));
    Map<String, String> arguments = arguments(model);
    Root root = root(model, module, values, arguments);
    return new PlainNetwork(
        module,
        root == null ? null : root.methods,
        values,
        root == null ? values : root.values,
        inputShape(model),
        root == null ? null : root.layerwise);
  }

  private record Root(Methods methods, Values values, @Nullable Layerwise layerwise) {}

  private Map<String, String> arguments(Section model) {
    if (!model.has("arguments")) {
      return Map.of();
    }
    try (Section section = model.section("arguments")) {
      return section.others();
    }
  }

  private Values values(Section section, Values absent) {
    return new Values(
        place(section, "input", absent.input()),
        place(section, "output", absent.output()),
        place(section, "gradOutput", absent.gradOutput()),
        place(section, "gradInput", absent.gradInput()),
        section.has("value") ? member(section, "value", STEP + STEPS) : absent.value(),
        section.has("shape") ? member(section, "shape", STEP) : absent.shape(),
        section.has("make") ? factory(section) : absent.make());
  }

  private @Nullable FlatInputShape inputShape(Section model) {
    String expected =
        "sizes such as 3x96x96, or the name of a field or of a method without arguments";
    Scalar scalar = model.scalar("inputShape", expected);
    if (scalar == null) {
      return null;
    }
    String text = scalar.text();
    if (text.matches("[1-9]\\d{0,8}(x[1-9]\\d{0,8}){0,7}")) {
      return FlatInputShape.of(Arrays.stream(text.split("x")).mapToLong(Long::parseLong).toArray());
    }
    if (!text.matches(NAME + "(\\(\\))?")) {
      reading.expected(scalar, expected);
    }
    return FlatInputShape.in(text.replace("()", ""));
  }

  private @Nullable String factory(Section section) {
    Scalar factory = section.scalar("make", MAKE);
    if (factory == null) {
      return null;
    }
    String text = factory.text().replaceAll("\\s", "");
    if (!text.matches(
        "(" + NAME + "\\.)+" + NAME + "\\((float|double)\\[\\],(int|long)\\[\\]\\)")) {
      reading.expected(factory, MAKE);
    }
    return text;
  }

  private @Nullable Root root(
      Section model, Methods module, Values values, Map<String, String> arguments) {
    if (!model.has("root")) {
      return null;
    }
    if (model.isSection("root")) {
      try (Section section = model.section("root")) {
        if (isByLayers(section)) {
          return byLayers(section, module, values, arguments);
        }
        if (section.has("lossTarget")) {
          reading.report(
              section.at(), section.child("lossTarget"), "belongs to backward: by layers");
        }
        return new Root(
            methods(section, module.forward(), module.backward()), values(section, values), null);
      }
    }
    Scalar type = type(model, "root");
    return type == null
        ? null
        : new Root(new Methods(type.text(), module.forward(), module.backward()), values, null);
  }

  private boolean isByLayers(Section root) {
    Scalar backward = root.has("backward") ? root.scalar("backward", METHOD) : null;
    return backward != null && backward.text().equals(BY_LAYERS);
  }

  private Root byLayers(
      Section section, Methods module, Values values, Map<String, String> arguments) {
    if (module.backward() == null) {
      reading.report(
          section.at(),
          section.child("backward"),
          "by layers calls the layers' own method: write backward: beside class");
    }
    Scalar type = requiredType(section);
    String forward = method(section, "forward");
    return new Root(
        new Methods(
            type == null ? "" : type.text(), forward == null ? module.forward() : forward, null),
        values(section, values),
        new Layerwise(arguments, place(section, "lossTarget", Place.NONE)));
  }

  private Methods methods(Section section, String forward, @Nullable String backward) {
    Scalar type = requiredType(section);
    String forwardGiven = method(section, "forward");
    String backwardGiven = method(section, "backward");
    return new Methods(
        type == null ? "" : type.text(),
        forwardGiven == null ? forward : forwardGiven,
        backwardGiven == null ? backward : backwardGiven);
  }

  private @Nullable Scalar requiredType(Section section) {
    Scalar type = type(section, "class");
    if (type == null) {
      reading.report(section.at(), section.child("class"), "is missing; expected " + TYPE);
    }
    return type;
  }

  private @Nullable Scalar type(Section section, String key) {
    Scalar type = section.scalar(key, TYPE);
    if (type != null && !type.text().matches("[\\p{L}\\p{N}_$.*]+")) {
      reading.expected(type, TYPE);
    }
    return type;
  }

  private @Nullable String method(Section section, String key) {
    Scalar method = section.scalar(key, METHOD);
    if (method == null) {
      return null;
    }
    String text = method.text().replaceAll("\\s", "");
    if (!text.matches(NAME + "(\\([\\p{L}\\p{N}_$.,\\[\\]]*\\))?")) {
      reading.expected(method, METHOD);
    }
    return text;
  }

  private Place place(Section section, String key, Place absent) {
    String expected =
        "return, argument N (from 0), field NAME, each also with members such as return.second or"
            + " argument 0.data, or none";
    Scalar scalar = section.scalar(key, expected);
    if (scalar == null) {
      return absent;
    }
    String text = scalar.text().trim();
    if (text.equals("none")) {
      return Place.NONE;
    }
    String start = "(return|(argument )?\\d{1,3}|field " + NAME + ")";
    if (!text.matches(start + STEPS)) {
      reading.expected(scalar, expected);
      return absent;
    }
    int dot = text.indexOf('.');
    String whole = dot < 0 ? text : text.substring(0, dot);
    Place place =
        whole.equals("return")
            ? Place.RETURN
            : whole.startsWith("field ")
                ? Place.field(whole.substring("field ".length()))
                : Place.argument(Integer.parseInt(whole.replace("argument ", "")));
    return dot < 0 ? place : place.member(text.substring(dot + 1).replace("()", ""));
  }

  private @Nullable String member(Section section, String key, String pattern) {
    Scalar member = section.scalar(key, MEMBER);
    if (member != null && !member.text().matches(pattern)) {
      reading.expected(member, MEMBER);
    }
    return member == null ? null : member.text().replace("()", "");
  }
}
