package io.camhook.samples.sentiment;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.ndarray.types.SparseFormat;
import ai.djl.nn.AbstractBlock;
import ai.djl.nn.Parameter;
import ai.djl.nn.core.Embedding;
import ai.djl.nn.core.Linear;
import ai.djl.nn.norm.Dropout;
import ai.djl.nn.norm.LayerNorm;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;

/**
 * Token ids and attention mask, {@code [N,T]} each, to one logit per class: word vectors, one
 * self-attention with a residual, layer normalisation, the mean over the words, one linear layer.
 */
final class SentimentNet extends AbstractBlock {
  static final int WIDTH = 32;
  private static final byte VERSION = 1;
  private static final float DROPPED = 0.5f;
  private static final float HIDDEN = -1e4f;

  private final int classes;
  final Parameter embeddings;
  final Linear query;
  final Linear key;
  final Linear value;
  final LayerNorm norm;
  final Linear classifier;

  SentimentNet(int words, int classes) {
    super(VERSION);
    this.classes = classes;
    embeddings =
        addParameter(
            Parameter.builder()
                .setName("embeddings")
                .setType(Parameter.Type.WEIGHT)
                .optShape(new Shape(words, WIDTH))
                .build());
    query = addChildBlock("query", Linear.builder().setUnits(WIDTH).build());
    key = addChildBlock("key", Linear.builder().setUnits(WIDTH).build());
    value = addChildBlock("value", Linear.builder().setUnits(WIDTH).build());
    norm = addChildBlock("norm", LayerNorm.builder().axis(2).build());
    classifier = addChildBlock("classifier", Linear.builder().setUnits(classes).build());
  }

  @Override
  protected NDList forwardInternal(
      ParameterStore store, NDList inputs, boolean training, PairList<String, Object> options) {
    NDArray ids = inputs.get(0);
    NDArray mask = inputs.get(1).toType(DataType.FLOAT32, false);
    NDArray table = store.getValue(embeddings, ids.getDevice(), training);
    NDArray x = Embedding.embedding(ids, table, SparseFormat.DENSE).singletonOrThrow();
    if (training) {
      x = Dropout.dropout(x, DROPPED, true).singletonOrThrow();
    }
    NDArray q = of(query, store, x, training);
    NDArray k = of(key, store, x, training);
    NDArray v = of(value, store, x, training);
    NDArray scores = q.matMul(k.transpose(0, 2, 1)).mul(1 / Math.sqrt(WIDTH));
    NDArray attention = scores.add(mask.mul(-1).add(1).mul(HIDDEN).expandDims(1)).softmax(-1);
    NDArray h = of(norm, store, x.add(attention.matMul(v)), training);
    NDArray sum = h.mul(mask.expandDims(2)).sum(new int[] {1});
    NDArray mean = sum.div(mask.sum(new int[] {1}, true));
    return new NDList(of(classifier, store, mean, training));
  }

  private static NDArray of(
      AbstractBlock block, ParameterStore store, NDArray x, boolean training) {
    return block.forward(store, new NDList(x), training).singletonOrThrow();
  }

  @Override
  public Shape[] getOutputShapes(Shape[] inputs) {
    return new Shape[] {new Shape(inputs[0].get(0), classes)};
  }

  @Override
  protected void initializeChildBlocks(NDManager manager, DataType type, Shape... inputs) {
    Shape tokens = new Shape(1, 1, WIDTH);
    query.initialize(manager, DataType.FLOAT32, tokens);
    key.initialize(manager, DataType.FLOAT32, tokens);
    value.initialize(manager, DataType.FLOAT32, tokens);
    norm.initialize(manager, DataType.FLOAT32, tokens);
    classifier.initialize(manager, DataType.FLOAT32, new Shape(1, WIDTH));
  }
}
