package io.camhook.torchscript.archive;

import io.camhook.naming.ModuleDescription;
import java.io.IOException;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/**
 * Storages of an archive with the values of some parameters shuffled: what the model learned is
 * lost, but the distribution of every tensor stays. Holds the changed storages in memory.
 */
public final class WeightShuffle {
  private final ZipFile archive;
  private final String folder;
  private final Random random;
  private final Map<String, byte[]> changed = new LinkedHashMap<>();

  private WeightShuffle(ZipFile archive, String folder, long seed) {
    this.archive = archive;
    this.folder = folder;
    this.random = new Random(seed);
  }

  /** The changed entries of the archive. */
  public static Map<String, byte[]> of(
      ZipFile archive, String folder, Collection<ModuleNode> nodes, long seed) throws IOException {
    WeightShuffle shuffle = new WeightShuffle(archive, folder, seed);
    for (ModuleNode node : nodes) {
      for (Map.Entry<String, StoredValues> values : node.values().entrySet()) {
        ModuleDescription.Parameter parameter = node.parameters().get(values.getKey());
        if (parameter != null && !parameter.buffer()) {
          shuffle.shuffle(parameter, values.getValue());
        }
      }
    }
    return shuffle.changed;
  }

  private void shuffle(ModuleDescription.Parameter parameter, StoredValues values)
      throws IOException {
    String name = folder + "data/" + values.key();
    byte[] storage = changed.get(name);
    if (storage == null) {
      ZipEntry entry = archive.getEntry(name);
      storage = entry == null ? new byte[0] : archive.getInputStream(entry).readAllBytes();
      changed.put(name, storage);
    }
    int width = parameter.bytesPerElement();
    long from = values.offset() * width;
    if (width == 0 || from < 0 || from + parameter.size() * width > storage.length) {
      throw new ArchiveException(name + ": '" + parameter.name() + "' lies outside its storage");
    }
    int base = Math.toIntExact(from);
    for (int i = Math.toIntExact(parameter.size()) - 1; i > 0; i--) { // Fisher and Yates
      swap(storage, base + i * width, base + random.nextInt(i + 1) * width, width);
    }
  }

  private static void swap(byte[] bytes, int a, int b, int width) {
    for (int i = 0; i < width; i++) {
      byte held = bytes[a + i];
      bytes[a + i] = bytes[b + i];
      bytes[b + i] = held;
    }
  }
}
