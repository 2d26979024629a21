package io.camhook.torchscript.archive;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Where a tensor's values are stored in an archive.
 *
 * @param key name of the storage, an entry under {@code data/}
 * @param offset first element
 */
public record StoredValues(String key, long offset) {

  /**
   * From the arguments of {@code _rebuild_tensor_v2(storage, offset, size, stride, …)}.
   *
   * @return null unless the values lie one after the other, row-major
   */
  static @Nullable StoredValues of(List<?> storage, List<@Nullable Object> arguments) {
    if (storage.size() < 3
        || !(storage.get(2) instanceof String key)
        || arguments.size() < 4
        || !(arguments.get(1) instanceof Long offset)
        || !(arguments.get(2) instanceof List<?> sizes)
        || !(arguments.get(3) instanceof List<?> strides)
        || !strides.equals(rowMajor(sizes))) {
      return null;
    }
    return new StoredValues(key, offset);
  }

  private static List<Long> rowMajor(List<?> sizes) {
    List<Long> strides = new ArrayList<>();
    long stride = 1;
    for (int i = sizes.size() - 1; i >= 0; i--) {
      strides.add(stride);
      stride *= sizes.get(i) instanceof Long size ? size : 0;
    }
    Collections.reverse(strides);
    return strides;
  }
}
