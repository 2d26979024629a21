package io.camhook.agent.yaml;

import io.camhook.config.FlatInputShape;
import io.camhook.config.Place;
import io.camhook.config.PlainNetwork;
import io.camhook.config.PlainNetwork.Methods;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Reads how a plain Java network is hooked: the keys beside {@code class}. */
final class PlainNetworkReader {
  private static final String TYPE = "the name of a class, interface or annotation, or a glob";
  private static final String METHOD =
      "a method's name, or its signature such as forward(float[],int)";
  private static final String MEMBER = "the name of a field or of a method without arguments";
  private static final String NAME = "[\\p{L}_$][\\p{L}\\p{N}_$]*";
  private static final List<String> KEYS =
      List.of(
          "root",
          "forward",
          "backward",
          "input",
          "output",
          "gradOutput",
          "gradInput",
          "value",
          "shape",
          "inputShape");

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
    return new PlainNetwork(
        module,
        root(model, module),
        place(model, "input", Place.FIRST_TENSOR_ARGUMENT),
        place(model, "output", Place.RETURN),
        place(model, "gradOutput", Place.FIRST_TENSOR_ARGUMENT),
        place(model, "gradInput", Place.RETURN),
        member(model, "value"),
        member(model, "shape"),
        inputShape(model));
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

  private @Nullable Methods root(Section model, Methods module) {
    if (!model.has("root")) {
      return null;
    }
    if (model.isSection("root")) {
      try (Section section = model.section("root")) {
        return methods(section, module.forward(), module.backward());
      }
    }
    Scalar type = type(model, "root");
    return type == null ? null : new Methods(type.text(), module.forward(), module.backward());
  }

  private Methods methods(Section section, String forward, @Nullable String backward) {
    Scalar type = type(section, "class");
    if (type == null) {
      reading.report(section.at(), section.child("class"), "is missing; expected " + TYPE);
    }
    String forwardGiven = method(section, "forward");
    String backwardGiven = method(section, "backward");
    return new Methods(
        type == null ? "" : type.text(),
        forwardGiven == null ? forward : forwardGiven,
        backwardGiven == null ? backward : backwardGiven);
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
    String expected = "return, argument N (from 0), field NAME or none";
    Scalar scalar = section.scalar(key, expected);
    if (scalar == null) {
      return absent;
    }
    String text = scalar.text().trim();
    if (text.equals("return")) {
      return Place.RETURN;
    }
    if (text.equals("none")) {
      return Place.NONE;
    }
    if (text.matches("(argument )?\\d{1,3}")) {
      return Place.argument(Integer.parseInt(text.replace("argument ", "")));
    }
    if (text.matches("field " + NAME)) {
      return Place.field(text.substring("field ".length()));
    }
    reading.expected(scalar, expected);
    return absent;
  }

  private @Nullable String member(Section section, String key) {
    Scalar member = section.scalar(key, MEMBER);
    if (member != null && !member.text().matches(NAME + "(\\(\\))?")) {
      reading.expected(member, MEMBER);
    }
    return member == null ? null : member.text().replace("()", "");
  }
}
