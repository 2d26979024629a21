package io.camhook.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.camhook.recording.RecordingWriter;
import io.camhook.recording.Run;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PipedReader;
import java.io.PipedWriter;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The command in its own thread, queried over HTTP. */
class ServeCommandTest {
  @TempDir Path folder;
  private final HttpClient http = HttpClient.newHttpClient();
  private final StringWriter err = new StringWriter();
  private @Nullable Thread command;

  @AfterEach
  void stop() throws InterruptedException {
    if (command != null) {
      command.interrupt();
      command.join(10_000);
      assertThat(command.isAlive()).isFalse();
    }
  }

  @Test
  void report_should_be_served_to_whoever_knows_the_token() throws Exception {
    Path recording = TinyRecording.write(folder.resolve("rec"), TinyRecording.full("a"));
    URI address = serve("serve", recording.toString());
    assertThat(address.getHost()).isEqualTo("127.0.0.1");
    assertThat(address.getPath()).matches("/[0-9a-f]{32}/");

    HttpResponse<String> page = get(address);
    assertThat(page.statusCode()).isEqualTo(200);
    assertThat(page.body())
        .contains("connect-src 'self'")
        .contains("data-served=\"" + address.getPath().replaceAll("/$", "") + "\"");
    await().until(() -> json(address, "index").path("captures").size() == 1);
    assertThat(json(address, "c0").path("targets").path(1).path("label").asText()).isEqualTo("dog");
    assertThat(json(address, "t0").path(0).path(0).asText()).startsWith("data:image/");
    assertThat(get(address.resolve("c1")).statusCode()).isEqualTo(404);
    assertThat(get(address.resolve("/index")).statusCode()).as("without the token").isEqualTo(404);
    assertThat(get(address.resolve("/" + "0".repeat(32) + "/index")).statusCode()).isEqualTo(404);
  }

  @Test
  void captures_should_appear_while_they_are_recorded() throws Exception {
    Path recording = folder.resolve("live");
    try (RecordingWriter writer =
        RecordingWriter.open(recording, Run.begin(null, Map.of()), 1 << 20)) {
      writer.append(TinyRecording.full("a"));
      URI address = serve("serve", recording.toString());
      await().until(() -> json(address, "index").path("captures").size() == 1);
      assertThat(json(address, "index").path("sources").path(0).path("complete").asBoolean())
          .isFalse();
      writer.append(TinyRecording.full("b"));
      await().until(() -> json(address, "index").path("total").asInt() == 2);
      JsonNode rest = json(address, "index?from=1");
      assertThat(rest.path("captures")).hasSize(1);
      assertThat(rest.path("captures").path(0).path(0).asText()).isEqualTo("b");
      writer.close();
      await()
          .until(() -> json(address, "index").path("sources").path(0).path("complete").asBoolean());
    }
  }

  @Test
  void recording_that_is_begun_later_should_be_waited_for() throws Exception {
    Path recording = folder.resolve("later");
    URI address = serve("serve", recording.toString());
    JsonNode source = json(address, "index").path("sources").path(0);
    assertThat(source.path("complete").asBoolean()).isFalse();
    assertThat(source.path("runs")).isEmpty();
    await().until(() -> err.toString().contains("later: waiting for the recording to begin"));
    TinyRecording.write(recording, TinyRecording.full("a"));
    await()
        .until(() -> json(address, "index").path("sources").path(0).path("complete").asBoolean());
    assertThat(json(address, "index").path("total").asInt()).isEqualTo(1);
    assertThat(json(address, "index").path("sources").path(0).path("runs")).hasSize(1);
  }

  @Test
  void port_that_is_taken_should_be_named_in_one_line() throws Exception {
    Path recording = TinyRecording.write(folder.resolve("rec"), TinyRecording.full("a"));
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
      Invocation run = Invocation.of("serve", recording, "--port", taken.getLocalPort());
      assertThat(run.status()).isEqualTo(1);
      assertThat(run.err())
          .startsWith("camhook: 127.0.0.1:" + taken.getLocalPort() + ": cannot listen there")
          .hasLineCount(1);
    }
  }

  private URI serve(String... args) throws IOException {
    PipedReader read = new PipedReader();
    PrintWriter out = new PrintWriter(new PipedWriter(read), true);
    command = new Thread(() -> Camhook.run(out, new PrintWriter(err, true), args));
    command.start();
    return URI.create(new BufferedReader(read).readLine());
  }

  private HttpResponse<String> get(URI address) throws IOException, InterruptedException {
    return http.send(HttpRequest.newBuilder(address).build(), HttpResponse.BodyHandlers.ofString());
  }

  private JsonNode json(URI address, String name) throws IOException, InterruptedException {
    return new ObjectMapper().readTree(get(address.resolve(name)).body());
  }
}
