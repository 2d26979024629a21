package io.camhook.recording;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class RecordingJsonWriterTest {
  private static final Instant NOON = Instant.parse("2026-11-24T12:00:00Z");

  @Test
  void manifest_should_be_read_back_as_it_was() throws IOException {
    Run killed =
        new Run(
            NOON, null, "1.0", "host", 7, null, Map.of("java", "17", "djl", "0.35.1"), null, null);
    Run ended =
        new Run(
            NOON,
            NOON.plusMillis(1500),
            "1.0",
            "höst \"1\"",
            1L << 40,
            "version: 1\n",
            Map.of(),
            new Counters(7, 4, 2, 1),
            Map.of("queue full", 2L, "pass could not be captured", 1L));
    ModelInfo model =
        new ModelInfo(
            "net",
            List.of(
                new ModuleInfo(".", "Net", 1L << 33, null),
                new ModuleInfo("layer4", "Conv2d", null, List.of(1L, 10L))),
            "PyTorch 2.7.1",
            List.of("a note"),
            "00ff",
            "11ee");
    Manifest manifest =
        new Manifest(1, List.of(model), List.of(killed, ended), new Manifest.Removed(3, 17));
    byte[] json = RecordingJsonWriter.manifest(manifest);
    assertThat(RecordingJsonReader.MAPPER.readValue(json, Manifest.class)).isEqualTo(manifest);
  }

  @Test
  void manifest_should_leave_out_what_is_not_known() {
    Manifest manifest =
        new Manifest(
            1,
            List.of(new ModelInfo("net", List.of())),
            List.of(new Run(NOON, null, "1.0", "host", 7, null, Map.of(), null, Map.of())),
            null);
    assertThat(new String(RecordingJsonWriter.manifest(manifest), StandardCharsets.UTF_8))
        .isEqualToIgnoringNewLines(
            """
            {
              "formatVersion" : 1,
              "models" : [ {
                "name" : "net",
                "modules" : [ ],
                "notes" : [ ]
              } ],
              "runs" : [ {
                "started" : "2026-11-24T12:00:00Z",
                "camhookVersion" : "1.0",
                "host" : "host",
                "pid" : 7,
                "versions" : { }
              } ]
            }\
            """);
  }

  @Test
  void targets_should_name_their_class_where_it_has_a_name() {
    assertThat(
            RecordingJsonWriter.targets(
                List.of(new Target(0, 0, 282, "tiger cat", 9.5), new Target(1, 0, 3, null, -1e-9))))
        .isEqualTo(
            "[{\"sample\":0,\"n\":0,\"index\":282,\"label\":\"tiger cat\",\"score\":9.5},"
                + "{\"sample\":1,\"n\":0,\"index\":3,\"score\":-1.0E-9}]");
  }

  @Test
  void predictions_should_be_a_list_for_each_sample() {
    assertThat(
            RecordingJsonWriter.topK(
                List.of(
                    List.of(new Prediction(1, "\"cat\"", 0.75), new Prediction(0, null, 0.25)),
                    List.of())))
        .isEqualTo(
            "[[{\"index\":1,\"label\":\"\\\"cat\\\"\",\"probability\":0.75},"
                + "{\"index\":0,\"probability\":0.25}],[]]");
  }
}
