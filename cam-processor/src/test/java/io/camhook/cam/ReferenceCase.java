package io.camhook.cam;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.camhook.recording.DType;
import io.camhook.recording.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DynamicTest;
import org.opentest4j.TestAbortedException;

/** One case of the PyTorch reference data: its JSON and its tensors. */
public final class ReferenceCase {
  private final Path file;
  private final JsonNode doc;
  private final Map<String, Tensor> tensors;

  private ReferenceCase(Path file, JsonNode doc, Map<String, Tensor> tensors) {
    this.file = file;
    this.doc = doc;
    this.tensors = tensors;
  }

  /** The folder with the reference CAMs; the test is skipped if there is none. */
  public static Path folder() {
    Path cams = Path.of(System.getProperty("camhook.reference", "reference"), "cams");
    Assumptions.assumeTrue(
        Files.isDirectory(cams), "no PyTorch reference data in " + cams + ", numbers not compared");
    return cams;
  }

  /** The tests, or one that is visibly skipped where there is no reference data. */
  public static List<DynamicTest> testsOrSkip(
      Function<List<ReferenceCase>, List<DynamicTest>> tests) {
    try {
      return tests.apply(all());
    } catch (TestAbortedException absent) {
      return List.of(
          DynamicTest.dynamicTest(
              "reference data",
              () -> {
                throw absent;
              }));
    }
  }

  /** Every case that has layers. */
  public static List<ReferenceCase> all() {
    try (Stream<Path> files = Files.list(folder())) {
      List<ReferenceCase> cases = new ArrayList<>();
      for (Path json : files.filter(f -> f.toString().endsWith(".json")).sorted().toList()) {
        ReferenceCase one = read(json);
        if (one.doc.has("layers")) {
          cases.add(one);
        }
      }
      return cases;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public static ReferenceCase named(String name) {
    return read(folder().resolve(name + ".json"));
  }

  /** The archive of the network. */
  public Path archive() {
    return form(folder().resolve(doc.get("archive").asText()).normalize());
  }

  /** A clone has one form of each network, traced or scripted; both have the same weights. */
  public static Path form(Path archive) {
    if (Files.exists(archive)) {
      return archive;
    }
    String name = archive.getFileName().toString();
    return archive.resolveSibling(name.replace(".traced.", ".scripted."));
  }

  private static ReferenceCase read(Path json) {
    try {
      JsonNode doc = new ObjectMapper().readTree(json.toFile());
      String name = json.getFileName().toString().replace(".json", ".safetensors");
      return new ReferenceCase(json, doc, safetensors(json.resolveSibling(name)));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A test's own reader, so that numbers do not pass through the codec under test elsewhere. */
  public static Map<String, Tensor> safetensors(Path file) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    int header = (int) bytes.getLong(0);
    JsonNode json =
        new ObjectMapper().readTree(new String(bytes.array(), 8, header, StandardCharsets.UTF_8));
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> entry : json.properties()) {
      if (entry.getKey().equals("__metadata__")) {
        continue;
      }
      JsonNode value = entry.getValue();
      long[] shape = new long[value.get("shape").size()];
      for (int i = 0; i < shape.length; i++) {
        shape[i] = value.get("shape").get(i).asLong();
      }
      int from = 8 + header + value.get("data_offsets").get(0).asInt();
      int to = 8 + header + value.get("data_offsets").get(1).asInt();
      DType type = DType.valueOf(value.get("dtype").asText());
      tensors.put(entry.getKey(), new Tensor(type, shape, bytes.slice(from, to - from)));
    }
    return tensors;
  }

  public String name() {
    return file.getFileName().toString().replace(".json", "");
  }

  public JsonNode doc() {
    return doc;
  }

  public boolean has(String key) {
    return tensors.containsKey(key);
  }

  public java.util.Set<String> keys() {
    return tensors.keySet();
  }

  public Tensor tensor(String key) {
    Tensor tensor = tensors.get(key);
    if (tensor == null) {
      throw new IllegalArgumentException(name() + " has no " + key);
    }
    return tensor;
  }

  public long[] inputShape() {
    return tensor("input").shape();
  }

  public List<String> layerNames() {
    List<String> names = new ArrayList<>();
    doc.get("layers").forEach(n -> names.add(n.asText()));
    return names;
  }

  public List<Integer> targets() {
    List<Integer> classes = new ArrayList<>();
    doc.get("targets").forEach(n -> classes.add(n.get("class").asInt()));
    return classes;
  }

  /** The layers as a recording would hold them. */
  public List<LayerTensors> layers() {
    List<LayerTensors> layers = new ArrayList<>();
    for (String name : layerNames()) {
      layers.add(
          LayerTensors.of(name, tensor("act/" + name), tensor("grad/" + name))
              .withFinerGradient(tensors.get("grad_finer/" + name))
              .withClassifierRows(tensors.get("torchcam/CAM/fc_row")));
    }
    return layers;
  }

  /** Map {@code sample} of a tensor whose first dimension is the batch. */
  public FloatMap map(String key, int sample) {
    Tensor tensor = tensor(key);
    long[] shape = tensor.shape();
    int[] spatial = new int[shape.length - 1];
    for (int i = 0; i < spatial.length; i++) {
      spatial[i] = (int) shape[i + 1];
    }
    int size = FloatMap.positions(spatial);
    float[] values = new float[size];
    System.arraycopy(tensor.toFloats(), sample * size, values, 0, size);
    return FloatMap.of(values, spatial);
  }

  @Override
  public String toString() {
    return name();
  }
}
