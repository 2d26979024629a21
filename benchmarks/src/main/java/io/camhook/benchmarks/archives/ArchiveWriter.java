package io.camhook.benchmarks.archives;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * Writes a module as {@code torch.jit.save} would: a zip of stored entries with the classes' source
 * in {@code code/}, the objects in {@code data.pkl} and each tensor's bytes in {@code data/N}.
 */
final class ArchiveWriter {
  private final String name;
  private final Random random = new Random(20);
  private final Map<String, String> sources = new LinkedHashMap<>();
  private final PickleWriter pickle = new PickleWriter();
  private final List<ScriptModule.Weight> storages = new ArrayList<>();

  private ArchiveWriter(String name) {
    this.name = name;
  }

  /** Writes {@code root} into {@code folder/NAME.pt}; the same bytes every time. */
  static Path write(ScriptModule root, String name, Path folder) throws IOException {
    Path file = folder.resolve(name + ".pt");
    ArchiveWriter writer = new ArchiveWriter(name);
    writer.object(root, writer.define(root));
    try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(file));
        ZipOutputStream zip = new ZipOutputStream(out)) {
      writer.entries(zip);
    }
    return file;
  }

  private void entries(ZipOutputStream zip) throws IOException {
    store(zip, "data.pkl", pickle.finish());
    for (Map.Entry<String, String> source : sources.entrySet()) {
      String file = "code/" + source.getKey().replace('.', '/') + ".py";
      store(zip, file, source.getValue().getBytes(UTF_8));
    }
    store(zip, "constants.pkl", new PickleWriter().emptyTuple().finish());
    for (int i = 0; i < storages.size(); i++) {
      store(zip, "data/" + i, values(storages.get(i)));
    }
    store(zip, "version", "3\n".getBytes(UTF_8));
  }

  private byte[] values(ScriptModule.Weight weight) {
    ByteBuffer bytes = ByteBuffer.allocate(4 * weight.elements()).order(ByteOrder.LITTLE_ENDIAN);
    while (bytes.hasRemaining()) {
      double noise = weight.deviation() == 0 ? 0 : weight.deviation() * random.nextGaussian();
      bytes.putFloat((float) (weight.mean() + noise));
    }
    return bytes.array();
  }

  private void store(ZipOutputStream zip, String entryName, byte[] content) throws IOException {
    ZipEntry entry = new ZipEntry(name + "/" + entryName);
    CRC32 crc = new CRC32();
    crc.update(content);
    entry.setMethod(ZipEntry.STORED);
    entry.setSize(content.length);
    entry.setCrc(crc.getValue());
    entry.setTime(0);
    zip.putNextEntry(entry);
    zip.write(content);
    zip.closeEntry();
  }

  /** A module's class and those of its children. */
  private record Defined(String file, String className, List<Defined> children) {
    String qualifiedName() {
      return file + "." + className;
    }
  }

  /** Adds the source of a module's class; as in a trace, each has its own, under a mangled name. */
  private Defined define(ScriptModule module) {
    List<Defined> children = module.children.values().stream().map(this::define).toList();
    int dot = module.type.lastIndexOf('.');
    String file = "__torch__." + module.type.substring(0, dot);
    if (sources.containsKey(file)) {
      file += ".___torch_mangle_" + sources.size();
    }
    Defined defined = new Defined(file, module.type.substring(dot + 1), children);
    StringBuilder source = new StringBuilder("class ");
    source.append(defined.className()).append("(Module):\n");
    source.append("  __parameters__ = [").append(names(module, false)).append("]\n");
    source.append("  __buffers__ = [").append(names(module, true)).append("]\n");
    module.weights.keySet().forEach(weight -> attribute(source, weight, "Tensor"));
    attribute(source, "training", "bool");
    int i = 0;
    for (String child : module.children.keySet()) {
      attribute(source, child, children.get(i++).qualifiedName());
    }
    source.append("  def forward(self: ").append(defined.qualifiedName());
    source.append(",\n    x: Tensor) -> Tensor:\n");
    module.body().forEach(line -> source.append("    ").append(line).append('\n'));
    sources.put(file, source.toString());
    return defined;
  }

  private static void attribute(StringBuilder source, String attribute, String type) {
    if (Character.isDigit(attribute.charAt(0))) {
      source.append("  __annotations__[\"%s\"] = %s%n".formatted(attribute, type));
    } else {
      source.append("  %s : %s%n".formatted(attribute, type));
    }
  }

  private static String names(ScriptModule module, boolean buffers) {
    StringBuilder names = new StringBuilder();
    module.weights.forEach(
        (weight, values) -> {
          if (values.buffer() == buffers) {
            names.append('"').append(weight).append("\", ");
          }
        });
    return names.toString();
  }

  private void object(ScriptModule module, Defined defined) {
    pickle.beginObject(defined.file(), defined.className());
    for (Map.Entry<String, ScriptModule.Weight> entry : module.weights.entrySet()) {
      pickle.key(entry.getKey());
      ScriptModule.Weight weight = entry.getValue();
      pickle.tensor(storages.size(), weight.shape(), weight.elements(), !weight.buffer());
      storages.add(weight);
    }
    pickle.key("training").bool(false);
    int i = 0;
    for (Map.Entry<String, ScriptModule> child : module.children.entrySet()) {
      pickle.key(child.getKey());
      object(child.getValue(), defined.children().get(i++));
    }
    pickle.endObject();
  }
}
