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
  private final StringBuilder source = new StringBuilder();
  private final PickleWriter pickle = new PickleWriter();
  private final List<ScriptModule.Weight> storages = new ArrayList<>();
  private int classes;

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
    store(zip, "code/__torch__/nets.py", source.toString().getBytes(UTF_8));
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
  private record Defined(String className, List<Defined> children) {}

  /** Adds the source of a module's class, after those of its children; as traced: a class each. */
  private Defined define(ScriptModule module) {
    List<Defined> children = module.children.values().stream().map(this::define).toList();
    String className = module.type + "_" + classes++;
    source.append("class ").append(className).append("(Module):\n");
    source.append("  __parameters__ = [").append(names(module, false)).append("]\n");
    source.append("  __buffers__ = [").append(names(module, true)).append("]\n");
    module.weights.keySet().forEach(weight -> attribute(weight, "Tensor"));
    attribute("training", "bool");
    int i = 0;
    for (String child : module.children.keySet()) {
      attribute(child, "__torch__.nets." + children.get(i++).className());
    }
    source.append("  def forward(self: __torch__.nets.").append(className);
    source.append(",\n    x: Tensor) -> Tensor:\n");
    module.body().forEach(line -> source.append("    ").append(line).append('\n'));
    return new Defined(className, children);
  }

  private void attribute(String attribute, String type) {
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
    pickle.beginObject("__torch__.nets", defined.className());
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
