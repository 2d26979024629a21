package io.camhook.djl.pass;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.IValue;
import ai.djl.pytorch.jni.JniUtils;
import io.camhook.djl.autograd.ModuleCalls;
import io.camhook.recording.Tensor;
import io.camhook.torchscript.ScriptedArchive;
import io.camhook.torchscript.twin.TapPlan;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Runs archives through DJL in tests: forward, taps, gradients. */
final class TorchRun implements AutoCloseable {
  /** The results of one pass; tensors stay open until the run is closed. */
  record Pass(IValue result, List<TapPlan.Label> labels, List<PtNDArray> taps) {}

  private static PtSymbolBlock gateway;

  final PtNDManager manager = (PtNDManager) NDManager.newBaseManager(Device.cpu(), "PyTorch");

  PtSymbolBlock load(Path archive) {
    PtSymbolBlock block =
        JniUtils.loadModule(manager, archive, false, new String[0], new String[0], true);
    block.freezeParameters(true);
    return block;
  }

  PtNDArray array(Tensor tensor) {
    ByteBuffer bytes = ByteBuffer.allocateDirect((int) tensor.byteSize());
    bytes.order(java.nio.ByteOrder.nativeOrder()).put(tensor.data()).rewind();
    return (PtNDArray) manager.create(bytes, new Shape(tensor.shape()), DataType.FLOAT32);
  }

  IValue plain(PtSymbolBlock block, List<PtNDArray> inputs) {
    return ModuleCalls.run(block, "forward", new NDList(new ArrayList<NDArray>(inputs)), false);
  }

  Pass tapped(PtSymbolBlock block, TapPlan plan, List<PtNDArray> inputs) {
    return tapped(block, plan, plan.forwardMethod(), inputs);
  }

  Pass tapped(PtSymbolBlock block, TapPlan plan, String method, List<PtNDArray> inputs) {
    NDList list = new NDList(new ArrayList<NDArray>(inputs));
    try (IValue all = ModuleCalls.run(block, method, list, true)) {
      IValue[] parts = all.toIValueTuple();
      int n = parts.length;
      List<PtNDArray> taps = List.of(parts[n - 2].toTensorArray(manager));
      List<TapPlan.Label> labels = plan.labels(parts[n - 1].toStringValue());
      return new Pass(parts[0], labels, taps);
    }
  }

  /** Gradients of a score; null if none flows. */
  List<PtNDArray> gradients(PtNDArray score, List<PtNDArray> of) throws IOException {
    if (of.isEmpty()) {
      return List.of();
    }
    score.setName("outputs[]");
    NDList arguments = new NDList(score);
    for (PtNDArray array : of) {
      array.setName("inputs[]");
      arguments.add(array);
    }
    List<PtNDArray> result = new ArrayList<>();
    try (IValue value = ModuleCalls.run(gateway(), "grad", arguments, true)) {
      IValue[] parts = value.toIValueTuple();
      PtNDArray[] gradients = parts[0].toTensorArray(manager);
      String defined = parts[1].toStringValue();
      for (int i = 0; i < gradients.length; i++) {
        result.add(defined.charAt(i) == '1' ? gradients[i] : null);
      }
    }
    return result;
  }

  /** The tensors in a result, in its order; those of a dict carry their key as name. */
  List<NDArray> arrays(IValue result) {
    if (!result.isTuple()) {
      return result.toNDList(manager);
    }
    List<NDArray> list = new ArrayList<>();
    for (IValue value : result.toIValueTuple()) {
      if (value.isTensor()) {
        list.addAll(value.toNDList(manager));
      }
    }
    return list;
  }

  /** The same as numbers; the order of a dict is that of its keys. */
  List<float[]> values(IValue result) {
    Map<String, float[]> byName = new TreeMap<>();
    for (NDArray array : arrays(result)) {
      String key = array.getName() == null ? "" + byName.size() : array.getName();
      byName.put(key, floats((PtNDArray) array));
    }
    return List.copyOf(byName.values());
  }

  static float[] floats(PtNDArray array) {
    return array.toType(DataType.FLOAT32, false).toFloatArray();
  }

  private static synchronized PtSymbolBlock gateway() throws IOException {
    if (gateway == null) {
      byte[] bytes =
          new ScriptedArchive()
              .source(
                  "__torch__/gate.py",
                  """
                  class Gate(Module):
                    __parameters__ = []
                    __buffers__ = []
                    training : bool
                    def forward(self: __torch__.gate.Gate,
                      x: Tensor) -> Tensor:
                      return x
                    def grad(self: __torch__.gate.Gate,
                      outputs: List[Tensor],
                      inputs: List[Tensor]) -> Tuple[List[Tensor], str]:
                      of = annotate(List[Tensor], [])
                      for n in range(torch.len(inputs)):
                        if ops.prim.requires_grad(inputs[n]):
                          _0 = torch.append(of, inputs[n])
                        else:
                          pass
                      g = annotate(List[Optional[Tensor]], [])
                      if torch.gt(torch.len(of), 0):
                        g = torch.grad(outputs, of, None, True, False, True)
                      else:
                        pass
                      defined = ""
                      result = annotate(List[Tensor], [])
                      at = 0
                      for n in range(torch.len(inputs)):
                        bit = "0"
                        h = inputs[n]
                        if ops.prim.requires_grad(inputs[n]):
                          k = g[at]
                          at = torch.add(at, 1)
                          if torch.__isnot__(k, None):
                            h = unchecked_cast(Tensor, k)
                            bit = "1"
                          else:
                            pass
                        else:
                          pass
                        defined = torch.add(defined, bit)
                        _1 = torch.append(result, h)
                      return (result, defined)
                  """)
              .bytes(new ScriptedArchive.Module("__torch__.gate.Gate", Map.of()));
      PtNDManager system = (PtNDManager) NDManager.newBaseManager(Device.cpu(), "PyTorch");
      gateway = JniUtils.loadModule(system, new ByteArrayInputStream(bytes), false, false);
    }
    return gateway;
  }

  @Override
  public void close() {
    manager.close();
  }
}
