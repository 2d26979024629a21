package io.camhook.agent.yaml;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.camhook.config.CamhookConfig;
import io.camhook.config.CamhookConfig.CaptureKind;
import io.camhook.config.CamhookConfig.Hook;
import io.camhook.config.CamhookConfig.Limits;
import io.camhook.config.CamhookConfig.Target;
import io.camhook.config.FlatInputShape;
import io.camhook.config.KafkaOutput;
import io.camhook.config.Place;
import io.camhook.config.PlainNetwork;
import io.camhook.config.PlainNetwork.Layerwise;
import io.camhook.config.PlainNetwork.Methods;
import io.camhook.config.PlainNetwork.Values;
import io.camhook.config.SinkSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConfigReaderTest {
  @TempDir Path directory;

  @Test
  void file_should_become_records_with_defaults_filled_in() throws Exception {
    Files.writeString(directory.resolve("synset.txt"), "tabby cat\ntiger cat\n");
    CamhookConfig config =
        read(
            """
            version: 1
            models:
              - name: resnet18
                layers: [layer4, "layer3.*.conv2", "*/relu*", ./flatten, auto]
                capture: [activation, gradient]
                target: label:tiger cat
                labels: synset.txt
                hooks:
                  - { layers: ["*"], hook: nan-guard, action: throw }
                  - { layers: [layer4], hook: com.acme.MyForwardHook, every: 10 }
              - name: watched
                hooks:
                  - hook: stats
            sampling: { rate: 0.01, maxPerSecond: 5 }
            limits: { queue: 64MiB, whenFull: block, exact: true }
            output:
              directory: "out/%t-%p-%h-${USER_TAG:-x}-${STAGE}"
              shard: 1GB
            """);

    assertThat(config.sampling()).isEqualTo(new CamhookConfig.Sampling(0.01, 5));
    assertThat(config.limits())
        .isEqualTo(
            new Limits(
                64L * 1024 * 1024,
                Limits.WhenFull.BLOCK,
                Limits.DEFAULT_MAX_WAIT,
                Limits.DEFAULT_CLOSE,
                true));
    assertThat(config.output().directory()).isEqualTo("out/20261124-061500-4711-box-x-prod");
    assertThat(config.output().shardBytes()).isEqualTo(1_000_000_000L);
    assertThat(config.dryRun()).isFalse();
    CamhookConfig.Model model = config.models().get(0);
    assertThat(model.name()).isEqualTo("resnet18");
    assertThat(model.layers())
        .containsExactly("layer4", "layer3.*.conv2", "*/relu*", "./flatten", "auto");
    assertThat(model.capture())
        .containsExactlyInAnyOrder(CaptureKind.ACTIVATION, CaptureKind.GRADIENT);
    assertThat(model.target()).isEqualTo(new Target(Target.Kind.LABEL, 1, -1, "tiger cat"));
    assertThat(model.labels()).isEqualTo(directory.resolve("synset.txt"));
    assertThat(model.hooks())
        .containsExactly(
            new Hook(List.of("*"), "nan-guard", Map.of("action", "throw")),
            new Hook(List.of("layer4"), "com.acme.MyForwardHook", Map.of("every", "10")));
    assertThat(model.plain()).isNull();
    CamhookConfig.Model watched = config.models().get(1);
    assertThat(watched.capture()).as("hooks alone record nothing").isEmpty();
    assertThat(watched.layers()).isEmpty();
  }

  @Test
  void plain_network_should_tell_its_methods_and_places() throws Exception {
    CamhookConfig config =
        read(
            """
            models:
              - name: my-net
                class: com.acme.nn.*Layer
                root: { class: com.acme.nn.Net, forward: "predict(float[])" }
                forward: "forward(float[], int)"
                backward: backward
                input: 1
                gradInput: field dx
                value: data()
                shape: shape
                inputShape: 3x96x96
            """);

    Values values =
        new Values(
            Place.argument(1),
            Place.RETURN,
            Place.FIRST_TENSOR_ARGUMENT,
            Place.field("dx"),
            "data",
            "shape",
            null);
    assertThat(config.models().get(0).plain())
        .isEqualTo(
            new PlainNetwork(
                new Methods("com.acme.nn.*Layer", "forward(float[],int)", "backward"),
                new Methods("com.acme.nn.Net", "predict(float[])", "backward"),
                values,
                values,
                FlatInputShape.of(3, 96, 96),
                null));
  }

  @Test
  void root_should_have_places_of_its_own_and_members_of_what_is_there() throws Exception {
    CamhookConfig config =
        read(
            """
            models:
              - name: my-net
                class: com.acme.nn.Layer
                input: argument 0.data
                value: dup().data.asFloat
                root: { class: com.acme.nn.Net, output: return.second.0, value: numbers }
            """);

    Values values =
        new Values(
            Place.argument(0).member("data"),
            Place.RETURN,
            Place.FIRST_TENSOR_ARGUMENT,
            Place.RETURN,
            "dup.data.asFloat",
            null,
            null);
    PlainNetwork plain = config.models().get(0).plain();
    assertThat(plain.values()).isEqualTo(values);
    assertThat(plain.rootValues())
        .isEqualTo(
            new Values(
                values.input(),
                Place.RETURN.member("second.0"),
                Place.FIRST_TENSOR_ARGUMENT,
                Place.RETURN,
                "numbers",
                null,
                null));
  }

  @Test
  void layers_should_go_backward_one_by_one_where_the_root_says_so() throws Exception {
    PlainNetwork plain =
        read("""
        models:
          - name: my-net
            class: com.acme.nn.Layer
            backward: back(Array,Workspace)
            arguments: { Workspace: com.acme.Workspace.none }
            value: numbers
            make: "com.acme.Array.of(double[], int[])"
            root:
              class: com.acme.nn.Net
              forward: predict
              backward: by layers
              lossTarget: field labels
        """)
            .models()
            .get(0)
            .plain();
    assertThat(plain.root()).isEqualTo(new Methods("com.acme.nn.Net", "predict", null));
    assertThat(plain.layerwise())
        .isEqualTo(
            new Layerwise(Map.of("Workspace", "com.acme.Workspace.none"), Place.field("labels")));
    assertThat(plain.rootValues().make()).isEqualTo("com.acme.Array.of(double[],int[])");
  }

  @Test
  void by_layers_should_need_a_backward_of_the_layers() {
    assertThat(
            invalid(
                    """
                    models:
                      - name: n
                        class: a.Layer
                        root: { class: a.Net, backward: by layers }
                    """)
                .problems())
        .extracting(Problem::toString)
        .containsExactly(
            "camhook.yaml:4:11: models[0].root.backward: by layers calls the layers' own method:"
                + " write backward: beside class");
  }

  @Test
  void every_error_should_be_reported_with_place_key_expectation_and_nearest_key() {
    InvalidConfigException e =
        invalid(
            """
            version: 2
            models:
              - name: m
                layer: [layer4]
                target: top
                capture: [activations]
                labels: nowhere.txt
                hooks: [ { hook: stat } ]
              - layers: { a: 1 }
            sampling:
              rate: 1.5
              rate: 0.5
            limits: { queue: lots, whenFull: wait, exact: yes }
            output: { directory: "%x" }
            outputs: 1
            """);

    assertThat(e.problems())
        .extracting(Problem::toString)
        .containsExactlyInAnyOrder(
            "camhook.yaml:1:10: version: expected 1, found \"2\"; nearest is \"1\"",
            "camhook.yaml:4:5: models[0].layer: no such key; nearest is \"layers\"; expected name,"
                + " layers, capture, target, labels, hooks, output, classAxis, class, root,"
                + " forward, backward, input, gradOutput, gradInput, value, shape, make,"
                + " arguments, inputShape, precision, reduce",
            "camhook.yaml:5:13: models[0].target: expected top1, topN, class:N, label:NAME,"
                + " similarity:FILE, loss or none, found \"top\"",
            "camhook.yaml:6:15: models[0].capture[0]: expected image, input, activation, gradient"
                + " or output, found \"activations\"; nearest is \"activation\"",
            "camhook.yaml:7:13: models[0].labels: expected a file with one class name a line, found"
                + " none at "
                + directory.resolve("nowhere.txt"),
            "camhook.yaml:8:22: models[0].hooks[0].hook: expected stats, nan-guard, print or the"
                + " full name of a class, found \"stat\"; nearest is \"stats\"",
            "camhook.yaml:9:5: models[1].name: is missing",
            "camhook.yaml:9:13: models[1].layers: expected a module path such as layer4.1.conv2, a"
                + " glob, or auto, found keys and values",
            "camhook.yaml:12:3: sampling.rate: is written twice, first at camhook.yaml:11:3",
            "camhook.yaml:13:18: limits.queue: expected auto or a size such as 256MiB, 1GiB or"
                + " 65536, found \"lots\"",
            "camhook.yaml:13:34: limits.whenFull: expected block or drop, found \"wait\"",
            "camhook.yaml:13:47: limits.exact: expected false or true, found \"yes\"",
            "camhook.yaml:14:22: output.directory: expected %t (start time), %p (process id), %h"
                + " (host) or %%, found \"%x\"",
            "camhook.yaml:15:1: outputs: no such key; nearest is \"output\"; expected version,"
                + " models, sampling, limits, output, log, dryRun");
  }

  @Test
  void text_that_is_not_yaml_should_be_reported_at_its_place() {
    assertThat(invalid("models: [\n  - a: ]").problems())
        .singleElement()
        .asString()
        .startsWith("camhook.yaml:2:3: is not YAML: ");
  }

  @Test
  void missing_file_should_name_the_folder_that_was_searched() {
    Path file = directory.resolve("camhook.yml");
    InvalidConfigException e =
        catchThrowableOfType(InvalidConfigException.class, () -> reader(Overrides.NONE).read(file));
    assertThat(e).hasMessage(file + ": no such file, looked for " + file);
  }

  /** No file system has such a name. */
  @Test
  void labels_with_a_null_character_should_be_one_error_with_its_place() {
    String message =
        invalid("models: [{ name: net, layers: [a], labels: \"a\\0b\" }]\n").getMessage();
    assertThat(message).contains("1:").contains("labels");
    assertThat(message.lines()).hasSizeLessThanOrEqualTo(2);
  }

  @Test
  void override_should_win_over_the_file_and_be_named_in_errors() throws Exception {
    Path file = write("sampling: { rate: 0.5 }");
    Overrides good = key -> key.equals("sampling.rate") ? new Overrides.Given("1", "test") : null;
    assertThat(reader(good).read(file).config().sampling().rate()).isEqualTo(1);

    Overrides bad =
        key ->
            key.equals("limits.queue")
                ? new Overrides.Given("-1", "agent option limits.queue")
                : null;
    InvalidConfigException e =
        catchThrowableOfType(InvalidConfigException.class, () -> reader(bad).read(file));
    assertThat(e)
        .hasMessage(
            "agent option limits.queue: limits.queue: expected auto or a size such as 256MiB,"
                + " 1GiB or 65536, found \"-1\"");
  }

  @Test
  void alias_should_stand_for_what_it_names() throws Exception {
    CamhookConfig config =
        read(
            """
            models:
              - { name: a, layers: &l [conv1] }
              - { name: b, layers: *l }
            """);
    assertThat(config.models().get(1).layers()).containsExactly("conv1");
  }

  @Test
  void unset_environment_variable_should_be_reported() {
    assertThat(invalid("output: { directory: \"${NOPE}\" }"))
        .hasMessage(
            "camhook.yaml:1:22: output.directory: environment variable NOPE is not set; set it or"
                + " write ${NOPE:-default}");
  }

  @Test
  void topic_should_be_read_with_environment_variables_in_their_places() throws Exception {
    SinkSettings kafka =
        read("""
        output:
          kafka:
            bootstrap: "${STAGE}:9092"
            topic: captures
            spool: 1GiB
            spoolDirectory: spool/%h
            properties:
              security.protocol: SASL_SSL
              sasl.jaas.config: 'Login required password="100%${STAGE}";'
        """)
            .output()
            .sink();
    assertThat(kafka)
        .isEqualTo(
            new KafkaOutput(
                "prod:9092",
                "captures",
                "lz4",
                KafkaOutput.ASK,
                1L << 30,
                Path.of("spool/box"),
                null,
                List.of(),
                Map.of(
                    "security.protocol",
                    "SASL_SSL",
                    "sasl.jaas.config",
                    "Login required password=\"100%prod\";")));
    assertThat(kafka.toString()).isEqualTo("topic captures of prod:9092");
    assertThat(read("sampling: { rate: 1 }").output().sink()).isNull();
  }

  @Test
  void what_a_topic_lacks_should_be_reported_without_its_secrets() {
    assertThat(
            invalid(
                "output: { kafka: { topic: t, properties: { ssl.key.password: 'x${NOPE}' } } }"))
        .hasMessage(
            "camhook.yaml:1:42: output.kafka.properties.ssl.key.password: environment variable NOPE"
                + " is not set; set it or write ${NOPE:-default}\n"
                + "camhook.yaml:1:18: output.kafka.bootstrap: is missing");
  }

  @Test
  void baseline_of_the_stats_hook_should_lie_beside_the_file() throws Exception {
    Files.writeString(directory.resolve("base.json"), "{}");
    assertThat(
            read("models: [{ name: m, hooks: [{ hook: stats, baseline: base.json, warn: 3 }] }]")
                .models()
                .get(0)
                .hooks()
                .get(0)
                .options())
        .isEqualTo(Map.of("baseline", directory.resolve("base.json").toString(), "warn", "3.0"));
    assertThat(invalid("models: [{ name: m, hooks: [{ hook: stats, baseline: no.json }] }]"))
        .hasMessageContaining("expected a file of camhook baseline, found none at");
    assertThat(invalid("models: [{ name: m, hooks: [{ hook: stats, warn: 3 }] }]"))
        .hasMessageContaining("hooks[0].warn: needs the key baseline");
  }

  @Test
  void gradient_without_a_target_should_be_refused_or_left_out() throws Exception {
    assertThat(invalid("models: [{ name: m, target: none, capture: [gradient] }]"))
        .hasMessageContaining("gradient needs a target, and target is none");
    assertThat(invalid("models: [{ name: m, class: a.B, capture: [gradient] }]"))
        .hasMessageContaining("gradient needs the key backward");
    assertThat(read("models: [{ name: m, class: a.B }]").models().get(0).capture())
        .doesNotContain(CaptureKind.GRADIENT);
    assertThat(read("models: [{ name: m, target: none }]").models().get(0).capture())
        .doesNotContain(CaptureKind.GRADIENT);
  }

  private CamhookConfig read(String yaml) throws Exception {
    return reader(Overrides.NONE).read(write(yaml)).config();
  }

  private InvalidConfigException invalid(String yaml) {
    InvalidConfigException e = catchThrowableOfType(InvalidConfigException.class, () -> read(yaml));
    return new InvalidConfigException(
        e.problems().stream()
            .map(p -> new Problem(p.at().replace(directory + "/", ""), p.key(), p.message()))
            .map(
                p ->
                    new Problem(
                        p.at(),
                        p.key(),
                        p.message().replace("at " + directory + "/camhook", "at camhook")))
            .toList());
  }

  private Path write(String yaml) throws IOException {
    return Files.writeString(directory.resolve("camhook.yaml"), yaml);
  }

  private static ConfigReader reader(Overrides overrides) {
    return new ConfigReader(
        overrides,
        name -> name.equals("STAGE") ? "prod" : null,
        Instant.parse("2026-11-24T06:15:00Z"),
        4711,
        () -> "box",
        List.of(KafkaReader.KAFKA));
  }
}
