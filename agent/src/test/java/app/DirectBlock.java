package app;

import ai.djl.MalformedModelException;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.BlockList;
import ai.djl.nn.Parameter;
import ai.djl.nn.ParameterList;
import ai.djl.training.ParameterStore;
import ai.djl.training.initializer.Initializer;
import ai.djl.util.PairList;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.function.Predicate;

/**
 * A block that extends none of DJL's classes: three times its input; the rest is done by its child.
 */
public final class DirectBlock implements Block {
  private final Block rest;

  public DirectBlock(Block rest) {
    this.rest = rest;
  }

  @Override
  public NDList forward(
      ParameterStore store, NDList inputs, boolean training, PairList<String, Object> params) {
    return new NDList(inputs.head().mul(inputs.getManager().create(3f)));
  }

  @Override
  public void setInitializer(Initializer initializer, Parameter.Type type) {
    rest.setInitializer(initializer, type);
  }

  @Override
  public void setInitializer(Initializer initializer, String name) {
    rest.setInitializer(initializer, name);
  }

  @Override
  public void setInitializer(Initializer initializer, Predicate<Parameter> predicate) {
    rest.setInitializer(initializer, predicate);
  }

  @Override
  public void initialize(NDManager manager, DataType type, Shape... shapes) {
    rest.initialize(manager, type, shapes);
  }

  @Override
  public boolean isInitialized() {
    return rest.isInitialized();
  }

  @Override
  public void cast(DataType type) {
    rest.cast(type);
  }

  @Override
  public void clear() {
    rest.clear();
  }

  @Override
  public PairList<String, Shape> describeInput() {
    return rest.describeInput();
  }

  @Override
  public BlockList getChildren() {
    return new BlockList();
  }

  @Override
  public ParameterList getDirectParameters() {
    return rest.getDirectParameters();
  }

  @Override
  public ParameterList getParameters() {
    return rest.getParameters();
  }

  @Override
  public Shape[] getOutputShapes(Shape[] shapes) {
    return shapes;
  }

  @Override
  public Shape[] getInputShapes() {
    return rest.getInputShapes();
  }

  @Override
  public DataType[] getOutputDataTypes() {
    return rest.getOutputDataTypes();
  }

  @Override
  public void saveParameters(DataOutputStream out) throws IOException {
    rest.saveParameters(out);
  }

  @Override
  public void loadParameters(NDManager manager, DataInputStream in)
      throws IOException, MalformedModelException {
    rest.loadParameters(manager, in);
  }
}
