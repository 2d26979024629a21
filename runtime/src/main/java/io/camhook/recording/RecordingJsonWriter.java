package io.camhook.recording;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Writes the JSON of a recording: times as ISO-8601 UTC, nulls omitted; {@link RecordingJsonReader}
 * reads it. It writes field by field, because object mapping would load 500 more classes into the
 * recorded JVM and keep them there.
 */
public final class RecordingJsonWriter {
  private static final JsonFactory JSON = new JsonFactory();

  private interface Body {
    void write(JsonGenerator json) throws IOException;
  }

  private RecordingJsonWriter() {}

  static String targets(List<Target> targets) {
    return text(
        json -> {
          json.writeStartArray();
          for (Target target : targets) {
            json.writeStartObject();
            json.writeNumberField("sample", target.sample());
            json.writeNumberField("n", target.n());
            json.writeNumberField("index", target.index());
            field(json, "label", target.label());
            json.writeNumberField("score", target.score());
            json.writeEndObject();
          }
          json.writeEndArray();
        });
  }

  static String topK(List<List<Prediction>> samples) {
    return text(
        json -> {
          json.writeStartArray();
          for (List<Prediction> sample : samples) {
            json.writeStartArray();
            for (Prediction prediction : sample) {
              json.writeStartObject();
              json.writeNumberField("index", prediction.index());
              field(json, "label", prediction.label());
              json.writeNumberField("probability", prediction.probability());
              json.writeEndObject();
            }
            json.writeEndArray();
          }
          json.writeEndArray();
        });
  }

  /** Indented, because people read it, too. */
  static byte[] manifest(Manifest manifest) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (JsonGenerator json = JSON.createGenerator(bytes).useDefaultPrettyPrinter()) {
      json.writeStartObject();
      json.writeNumberField("formatVersion", manifest.formatVersion());
      json.writeArrayFieldStart("models");
      for (ModelInfo model : manifest.models()) {
        model(json, model);
      }
      json.writeEndArray();
      json.writeArrayFieldStart("runs");
      for (Run run : manifest.runs()) {
        run(json, run);
      }
      json.writeEndArray();
      Manifest.Removed removed = manifest.removed();
      if (removed != null) {
        json.writeObjectFieldStart("removed");
        json.writeNumberField("shards", removed.shards());
        json.writeNumberField("captures", removed.captures());
        json.writeEndObject();
      }
      json.writeEndObject();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  /** Writes a model as the manifest has it. */
  public static void model(JsonGenerator json, ModelInfo model) throws IOException {
    json.writeStartObject();
    field(json, "name", model.name());
    json.writeArrayFieldStart("modules");
    for (ModuleInfo module : model.modules()) {
      module(json, module);
    }
    json.writeEndArray();
    field(json, "engine", model.engine());
    json.writeArrayFieldStart("notes");
    for (String note : model.notes()) {
      json.writeString(note);
    }
    json.writeEndArray();
    field(json, "sha256", model.sha256());
    field(json, "parametersSha256", model.parametersSha256());
    json.writeEndObject();
  }

  private static void module(JsonGenerator json, ModuleInfo module) throws IOException {
    json.writeStartObject();
    field(json, "path", module.path());
    field(json, "type", module.type());
    Long parameters = module.parameters();
    if (parameters != null) {
      json.writeNumberField("parameters", parameters);
    }
    List<Long> shape = module.outputShape();
    if (shape != null) {
      json.writeArrayFieldStart("outputShape");
      for (long size : shape) {
        json.writeNumber(size);
      }
      json.writeEndArray();
    }
    json.writeEndObject();
  }

  /** Writes a run as the manifest has it. */
  public static void run(JsonGenerator json, Run run) throws IOException {
    json.writeStartObject();
    field(json, "started", run.started());
    field(json, "ended", run.ended());
    field(json, "camhookVersion", run.camhookVersion());
    field(json, "host", run.host());
    json.writeNumberField("pid", run.pid());
    field(json, "config", run.config());
    json.writeObjectFieldStart("versions");
    for (Map.Entry<String, String> version : new TreeMap<>(run.versions()).entrySet()) {
      field(json, version.getKey(), version.getValue());
    }
    json.writeEndObject();
    Counters counters = run.counters();
    if (counters != null) {
      json.writeObjectFieldStart("counters");
      json.writeNumberField("fired", counters.fired());
      json.writeNumberField("written", counters.written());
      json.writeNumberField("dropped", counters.dropped());
      json.writeNumberField("failed", counters.failed());
      json.writeEndObject();
    }
    if (!run.losses().isEmpty()) {
      json.writeObjectFieldStart("losses");
      for (Map.Entry<String, Long> loss : new TreeMap<>(run.losses()).entrySet()) {
        json.writeNumberField(loss.getKey(), loss.getValue());
      }
      json.writeEndObject();
    }
    json.writeEndObject();
  }

  private static void field(JsonGenerator json, String name, @Nullable Object value)
      throws IOException {
    if (value != null) {
      json.writeStringField(name, value.toString());
    }
  }

  private static String text(Body body) {
    StringWriter text = new StringWriter();
    try (JsonGenerator json = JSON.createGenerator(text)) {
      body.write(json);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return text.toString();
  }
}
