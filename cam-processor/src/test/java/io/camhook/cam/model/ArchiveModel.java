package io.camhook.cam.model;

import ai.djl.MalformedModelException;
import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.training.ParameterStore;
import io.camhook.cam.ReferenceCase;
import io.camhook.recording.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;

/** A TorchScript archive of the reference data, run forward by DJL. */
public final class ArchiveModel implements ForwardModel, AutoCloseable {
  private final Model model;
  private final Block block;

  private ArchiveModel(Model model) {
    this.model = model;
    this.block = model.getBlock();
  }

  public static ArchiveModel of(ReferenceCase reference) {
    return load(reference.archive());
  }

  static ArchiveModel load(Path file) {
    Model model = Model.newInstance("reference", "PyTorch");
    try {
      model.load(file.getParent(), file.getFileName().toString());
    } catch (IOException e) {
      model.close();
      throw new UncheckedIOException(e);
    } catch (MalformedModelException e) {
      model.close();
      throw new IllegalStateException(e);
    }
    return new ArchiveModel(model);
  }

  @Override
  public Tensor outputs(Tensor input) {
    try (NDManager manager = model.getNDManager().newSubManager()) {
      NDArray array = manager.create(input.toFloats(), new Shape(input.shape()));
      NDList out = block.forward(new ParameterStore(manager, false), new NDList(array), false);
      NDArray result = out.get(0);
      return Tensor.ofFloats(result.toFloatArray(), result.getShape().getShape());
    }
  }

  @Override
  public Tensor outputsFrom(String path, Tensor activation, Tensor input) {
    throw new UnsupportedOperationException("a plain archive cannot be resumed");
  }

  @Override
  public void close() {
    model.close();
  }
}
