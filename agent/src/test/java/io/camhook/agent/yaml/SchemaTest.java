package io.camhook.agent.yaml;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersion;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.yaml.snakeyaml.Yaml;

/** The schema that editors read and the parser that the agent runs accept the same files. */
class SchemaTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir Path directory;

  /** An unknown key makes the parser list the keys that it knows. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{ zz: 1 }                                               | /properties",
        "{ sampling: { zz: 1 } }                                 | /properties/sampling/properties",
        "{ limits: { zz: 1 } }                                   | /properties/limits/properties",
        "{ output: { zz: 1 } }                                   | /properties/output/properties",
        "{ output: { kafka: { bootstrap: a, topic: t, zz: 1 } } }"
            + " | /properties/output/properties/kafka/properties",
        "{ log: { zz: 1 } }                                      | /properties/log/properties",
        "{ models: [{ name: m, class: a.B, zz: 1 }] }            | /$defs/model/properties",
        "{ models: [{ name: m, class: a.B, root: { class: c.D, zz: 1 } }] }"
            + " | /$defs/methods/properties",
      })
  void schema_should_have_the_keys_of_the_parser(String yaml, String pointer) throws Exception {
    InvalidConfigException e =
        catchThrowableOfType(InvalidConfigException.class, () -> parse(yaml));
    String message = e.problems().get(0).message();
    List<String> inSchema = new ArrayList<>();
    schema().at(pointer).fieldNames().forEachRemaining(inSchema::add);
    assertThat(message.substring(message.indexOf("expected ") + 9).split(", "))
        .containsExactlyInAnyOrderElementsOf(inSchema);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{ version: 1 }",
        "{ models: [{ name: m, layers: [layer4, '*', auto], capture: [image, gradient] }] }",
        "{ models: [{ name: m, layers: layer4, target: top3 }] }",
        "{ models: [{ name: m, target: 'class:282' }] }",
        "{ models: [{ name: m, hooks: [{ hook: nan-guard, action: throw }] }] }",
        "{ models: [{ name: m, hooks: [{ hook: com.acme.Mine, layers: ['*'], every: 3 }] }] }",
        "{ models: [{ name: m, class: com.acme.*Layer, forward: 'f(float[], int)', input: 1 }] }",
        "{ models: [{ name: m, class: a.B, root: a.Net, gradInput: field dx, value: 'data()' }] }",
        "{ models: [{ name: m, class: a.B, backward: b, target: loss, inputShape: 3x96x96 }] }",
        "{ models: [{ name: m, class: a.B, output: field neurons.*.output, value: rows.*.data }] }",
        "{ models: [{ name: m, class: a.B, inputShape: size() }] }",
        "{ models: [{ name: m, class: a.B, backward: b, root: { class: a.N, backward: by layers }"
            + " }] }",
        "{ models: [{ name: m, class: a.B, make: 'a.T.of(float[],int[])', arguments: { W: a.W.N }"
            + " }] }",
        "{ models: [{ name: m, precision: bfloat16, reduce: cam }] }",
        "{ sampling: { rate: 0.5, maxPerSecond: 2 }, dryRun: true }",
        "{ limits: { queue: 64MiB, whenFull: block, exact: true } }",
        "{ limits: { queue: 65536 } }",
        "{ output: { directory: 'x/%t', shard: 1.5 GiB } }",
        "{ output: { permissions: umask } }",
        "{ output: { kafka: { bootstrap: 'a:9092', topic: t } } }",
        "{ output: { kafka: { bootstrap: 'a:1', topic: t, spool: 1GiB, compression: zstd } } }",
        "{ output: { kafka: { bootstrap: 'a:1', topic: t, properties: { acks: all } } } }",
        "{ limits: { queue: auto, maxWait: 500ms, close: 1m, disk: 10GiB, diskFree: auto } }",
        "{ limits: { diskFree: 0, maxAge: 7d, whenDiskFull: stop } }",
        "{ sampling: { every: 100, when: 'confidence < 0.6' } }",
        "{ sampling: { when: 'label in [cat, \"tiger cat\", 282] or confidence >= .9' } }",
        "{ log: { every: 10m } }",
      })
  void good_file_should_pass_both(String yaml) throws Exception {
    assertThat(validate(yaml)).isEmpty();
    parse(yaml);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{ version: 2 }",
        "{ models: [{ layers: [layer4] }] }",
        "{ models: [{ name: m, capture: [pictures] }] }",
        "{ models: [{ name: m, target: top0 }] }",
        "{ models: [{ name: m, target: best }] }",
        "{ models: [{ name: m, target: loss }] }",
        "{ models: [{ name: m, hooks: [{ hook: stat }] }] }",
        "{ models: [{ name: m, hooks: [{ layers: ['*'] }] }] }",
        "{ models: [{ name: m, hooks: [{ hook: stats, action: warn }] }] }",
        "{ models: [{ name: m, hooks: [{ hook: nan-guard, action: stop }] }] }",
        "{ models: [{ name: m, forward: forward }] }",
        "{ models: [{ name: m, class: 'a b' }] }",
        "{ models: [{ name: m, class: a.B, forward: 'f(' }] }",
        "{ models: [{ name: m, class: a.B, input: first }] }",
        "{ models: [{ name: m, class: a.B, root: { forward: f } }] }",
        "{ models: [{ name: m, class: a.B, inputShape: 3x0 }] }",
        "{ models: [{ name: m, class: a.B, make: of }] }",
        "{ models: [{ name: m, precision: int4 }] }",
        "{ models: [{ name: m, reduce: all }] }",
        "{ sampling: { rate: 2 } }",
        "{ limits: { queue: lots } }",
        "{ limits: { whenFull: wait } }",
        "{ output: { permissions: everyone } }",
        "{ output: { kafka: { topic: t } } }",
        "{ output: { kafka: { bootstrap: 'a:1', topic: t, compression: best } } }",
        "{ output: { kafka: { bootstrap: 'a:1', topic: t, spool: lots } } }",
        "{ limits: { maxWait: soon } }",
        "{ limits: { disk: auto } }",
        "{ limits: { maxAge: 3 weeks } }",
        "{ limits: { whenDiskFull: panic } }",
        "{ sampling: { every: 0 } }",
        "{ sampling: { every: 1.5 } }",
        "{ sampling: { when: 'confidence < high' } }",
        "{ sampling: { when: 'label in []' } }",
        "{ log: { every: often } }",
        "{ dryRun: maybe }",
      })
  void bad_file_should_pass_neither(String yaml) {
    assertThat(validate(yaml)).isNotEmpty();
    assertThat(catchThrowableOfType(InvalidConfigException.class, () -> parse(yaml))).isNotNull();
  }

  private void parse(String yaml) throws Exception {
    Path file = Files.writeString(directory.resolve("camhook.yaml"), yaml);
    new ConfigReader(
            Overrides.NONE, name -> null, Instant.EPOCH, 1, () -> "h", List.of(KafkaReader.KAFKA))
        .read(file);
  }

  private static List<String> validate(String yaml) {
    Object document = new Yaml().load(yaml);
    return JsonSchemaFactory.getInstance(SpecVersion.VersionFlag.V202012)
        .getSchema(schema())
        .validate(JSON.valueToTree(document))
        .stream()
        .map(Object::toString)
        .toList();
  }

  private static JsonNode schema() {
    try (InputStream in =
        SchemaTest.class.getResourceAsStream("/META-INF/camhook/camhook.schema.json")) {
      return JSON.readTree(Objects.requireNonNull(in));
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }
}
