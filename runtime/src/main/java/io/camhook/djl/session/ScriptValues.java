package io.camhook.djl.session;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.jni.IValue;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The tensors in the result of a TorchScript method; numbers and None contain none. */
final class ScriptValues {
  private ScriptValues() {}

  /** Flattened; the entries of a dict by key. */
  static NDList arrays(IValue value, PtNDManager owner) {
    NDList arrays = new NDList();
    add(value, "", owner, arrays);
    return arrays;
  }

  private static void add(IValue value, String name, PtNDManager owner, List<NDArray> arrays) {
    if (value.isTensor()) {
      NDArray array = value.toTensor(owner);
      array.setName(name);
      arrays.add(array);
    } else if (value.isTensorList()) {
      arrays.addAll(List.of(value.toTensorArray(owner)));
    } else if (value.isTuple()) {
      addAll(value.toIValueTuple(), owner, arrays);
    } else if (value.isMap()) {
      for (Map.Entry<String, IValue> entry : new TreeMap<>(value.toIValueMap()).entrySet()) {
        try (IValue each = entry.getValue()) {
          add(each, entry.getKey(), owner, arrays);
        }
      }
    } else if (value.isList()) {
      addAll(value.toIValueArray(), owner, arrays);
    }
  }

  private static void addAll(IValue[] values, PtNDManager owner, List<NDArray> arrays) {
    for (IValue each : values) {
      try (each) {
        add(each, "", owner, arrays);
      }
    }
  }
}
