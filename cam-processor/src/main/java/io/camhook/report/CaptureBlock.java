package io.camhook.report;

import com.fasterxml.jackson.core.JsonGenerator;
import io.camhook.render.Picture;
import io.camhook.report.ReportCapture.CamMap;
import io.camhook.report.ReportCapture.Channels;
import io.camhook.report.ReportCapture.Mask;
import io.camhook.report.ReportCapture.Prediction;
import io.camhook.report.ReportCapture.Target;
import java.io.IOException;
import java.util.Map;

/** One capture as the JSON that the page reads when the capture is opened. */
final class CaptureBlock {
  private final ReportCapture capture;
  private final ReportLimits limits;

  CaptureBlock(ReportCapture capture, ReportLimits limits) {
    this.capture = capture;
    this.limits = limits;
  }

  /** In UTF-8. */
  byte[] json() {
    return ReportJson.bytes(this::write);
  }

  private void write(JsonGenerator json) throws IOException {
    json.writeStartObject();
    json.writeStringField("id", capture.id());
    json.writeStringField("name", capture.name());
    json.writeStringField("model", capture.model());
    json.writeStringField("time", capture.time());
    picture(json);
    input(json, capture.input());
    predictions(json);
    targets(json);
    json.writeArrayFieldStart("maps");
    int cells = capture.maps().stream().mapToInt(map -> map.values().length).sum();
    byte[] levels = new byte[2 * cells];
    int at = 0;
    for (CamMap map : capture.maps()) {
      map(json, map, levels, at);
      at += map.values().length;
    }
    json.writeEndArray();
    ReportJson.base64(json, "levels", Packed.of(levels));
    json.writeArrayFieldStart("channels");
    for (Channels channels : capture.channels()) {
      channels(json, channels);
    }
    json.writeEndArray();
    json.writeArrayFieldStart("masks");
    for (Mask mask : capture.masks()) {
      mask(json, mask);
    }
    json.writeEndArray();
    json.writeArrayFieldStart("meta");
    for (Map.Entry<String, String> entry : capture.metadata().entrySet()) {
      json.writeStartArray();
      json.writeString(entry.getKey());
      json.writeString(entry.getValue());
      json.writeEndArray();
    }
    json.writeEndArray();
    json.writeFieldName("truth");
    json.writeArray(capture.truth().toArray(new String[0]), 0, capture.truth().size());
    concepts(json);
    json.writeEndObject();
  }

  private void concepts(JsonGenerator json) throws IOException {
    ReportCapture.Concepts found = capture.concepts();
    if (found == null) {
      return;
    }
    json.writeObjectFieldStart("concepts");
    json.writeStringField("l", found.layer());
    json.writeFieldName("src");
    PictureCodec.write(json, found.overlay(), limits.pictureSide());
    ReportJson.number(json, "rest", found.unexplained());
    json.writeArrayFieldStart("list");
    for (ReportCapture.Concept concept : found.concepts()) {
      json.writeStartObject();
      json.writeStringField("colour", "#%06x".formatted(concept.colour()));
      ReportJson.number(json, "share", concept.share());
      json.writeArrayFieldStart("says");
      for (String label : concept.says()) {
        json.writeString(label);
      }
      json.writeEndArray();
      json.writeEndObject();
    }
    json.writeEndArray();
    json.writeEndObject();
  }

  private void picture(JsonGenerator json) throws IOException {
    Picture picture = capture.picture();
    if (picture == null) {
      return;
    }
    json.writeObjectFieldStart("picture");
    json.writeNumberField("w", picture.width());
    json.writeNumberField("h", picture.height());
    json.writeFieldName("src");
    PictureCodec.write(json, picture, limits.pictureSide());
    json.writeEndObject();
  }

  private static void input(JsonGenerator json, ReportInput input) throws IOException {
    ReportInput.Signal signal = input.signal();
    if (signal != null) {
      Quantised values = Quantised.words(signal.values());
      json.writeObjectFieldStart("signal");
      json.writeNumberField("c", signal.channels());
      json.writeNumberField("n", signal.length());
      ReportJson.number(json, "min", values.min());
      ReportJson.number(json, "max", values.max());
      ReportJson.base64(json, "data", values.levels());
      json.writeEndObject();
    }
    ReportInput.Volume volume = input.volume();
    if (volume != null) {
      byte[] levels = new byte[volume.values().length];
      Quantised.Range range = Quantised.bytes(volume.values(), 0, levels.length, levels, 0);
      json.writeObjectFieldStart("volume");
      json.writeNumberField("d", volume.depth());
      json.writeNumberField("h", volume.height());
      json.writeNumberField("w", volume.width());
      ReportJson.number(json, "min", range.min());
      ReportJson.number(json, "max", range.max());
      ReportJson.base64(json, "data", Packed.of(levels));
      json.writeEndObject();
    }
    if (!input.tokens().isEmpty()) {
      json.writeFieldName("tokens");
      json.writeArray(input.tokens().toArray(new String[0]), 0, input.tokens().size());
    }
    if (!input.boxes().isEmpty()) {
      json.writeArrayFieldStart("boxes");
      for (ReportInput.Box box : input.boxes()) {
        json.writeStartObject();
        json.writeStringField("label", box.label());
        ReportJson.number(json, "score", box.score());
        json.writeArrayFieldStart("box");
        for (double edge : new double[] {box.x0(), box.y0(), box.x1(), box.y1()}) {
          ReportJson.number(json, edge);
        }
        json.writeEndArray();
        json.writeEndObject();
      }
      json.writeEndArray();
    }
    ReportInput.Segmentation segmentation = input.segmentation();
    if (segmentation != null) {
      json.writeObjectFieldStart("segmentation");
      json.writeNumberField("w", segmentation.width());
      json.writeNumberField("h", segmentation.height());
      json.writeFieldName("labels");
      json.writeArray(
          segmentation.labels().toArray(new String[0]), 0, segmentation.labels().size());
      ReportJson.base64(json, "data", Packed.of(segmentation.classes()));
      json.writeEndObject();
    }
  }

  private void predictions(JsonGenerator json) throws IOException {
    json.writeArrayFieldStart("predictions");
    for (Prediction prediction : capture.predictions()) {
      json.writeStartObject();
      json.writeNumberField("i", prediction.index());
      json.writeStringField("label", prediction.label());
      ReportJson.number(json, "p", prediction.probability());
      ReportJson.number(json, "score", prediction.score());
      json.writeEndObject();
    }
    json.writeEndArray();
  }

  private void targets(JsonGenerator json) throws IOException {
    json.writeArrayFieldStart("targets");
    for (Target target : capture.targets()) {
      json.writeStartObject();
      json.writeNumberField("i", target.index());
      json.writeStringField("label", target.label());
      ReportJson.number(json, "score", target.score());
      json.writeEndObject();
    }
    json.writeEndArray();
  }

  /**
   * A map. Its levels of 16 bits go to {@code levels} from {@code at} on: first the high bytes of
   * all maps, which are similar, then the low ones.
   */
  private void map(JsonGenerator json, CamMap map, byte[] levels, int at) throws IOException {
    Quantised values = Quantised.words(map.values());
    for (int i = 0; i < map.values().length; i++) {
      levels[levels.length / 2 + at + i] = values.levels()[2 * i];
      levels[at + i] = values.levels()[2 * i + 1];
    }
    json.writeStartObject();
    json.writeNumberField("t", map.target());
    json.writeStringField("m", map.method());
    if (map.layer() != null) {
      json.writeStringField("l", map.layer());
    }
    json.writeFieldName("s");
    json.writeArray(map.shape(), 0, map.shape().length);
    ReportJson.number(json, "min", values.min());
    ReportJson.number(json, "max", values.max());
    json.writeEndObject();
  }

  private void channels(JsonGenerator json, Channels channels) throws IOException {
    ChannelSelection selection = new ChannelSelection(channels);
    int[] kept = selection.indices(limits.channels());
    if (kept.length == 0) {
      return;
    }
    ChannelSelection.Plane first = selection.plane(kept[0], limits.channelSide());
    int plane = first.values().length;
    byte[] levels = new byte[kept.length * plane];
    Quantised.Range[] ranges = new Quantised.Range[kept.length];
    for (int i = 0; i < kept.length; i++) {
      float[] values = selection.plane(kept[i], limits.channelSide()).values();
      ranges[i] = Quantised.bytes(values, 0, plane, levels, i * plane);
    }
    json.writeStartObject();
    json.writeStringField("l", channels.layer());
    json.writeNumberField("count", channels.count());
    json.writeNumberField("ow", channels.width());
    json.writeNumberField("oh", channels.height());
    json.writeNumberField("w", first.width());
    json.writeNumberField("h", first.height());
    json.writeFieldName("index");
    json.writeArray(kept, 0, kept.length);
    json.writeArrayFieldStart("min");
    for (Quantised.Range range : ranges) {
      ReportJson.number(json, range.min());
    }
    json.writeEndArray();
    json.writeArrayFieldStart("max");
    for (Quantised.Range range : ranges) {
      ReportJson.number(json, range.max());
    }
    json.writeEndArray();
    json.writeArrayFieldStart("weights");
    for (float[] weights : channels.weights()) {
      json.writeStartArray();
      for (int c : kept) {
        ReportJson.number(json, c < weights.length ? weights[c] : Float.NaN);
      }
      json.writeEndArray();
    }
    json.writeEndArray();
    ReportJson.base64(json, "data", Packed.of(levels));
    json.writeEndObject();
  }

  /** One bit per pixel, least significant bit first, packed. */
  private static void mask(JsonGenerator json, Mask mask) throws IOException {
    byte[] bits = new byte[(mask.inside().length + 7) / 8];
    for (int i = 0; i < mask.inside().length; i++) {
      if (mask.inside()[i]) {
        bits[i >> 3] |= (byte) (1 << (i & 7));
      }
    }
    json.writeStartObject();
    json.writeStringField("label", mask.label());
    json.writeNumberField("w", mask.width());
    json.writeNumberField("h", mask.height());
    ReportJson.base64(json, "bits", Packed.of(bits));
    json.writeEndObject();
  }
}
