package io.camhook.djl.request;

import ai.djl.ndarray.NDList;
import ai.djl.nn.Block;
import ai.djl.pytorch.engine.PtSymbolBlock;
import io.camhook.dispatch.BlockCall;
import io.camhook.djl.model.BlockTree;
import io.camhook.djl.pass.OpenBlocks;
import org.jspecify.annotations.Nullable;

/**
 * Watches the application's forward to find the layer that {@code auto} means; then a replay
 * captures the pass.
 */
final class SearchCapture extends PassStrategy {
  private final RequestScope scope;
  private final @Nullable ReplayCapture replay;
  private final SpatialSearch search;
  private final OpenBlocks open;

  /**
   * @param replay null in training, where a pass runs once: it is not captured, and counts as
   *     failed
   */
  SearchCapture(RequestScope scope, @Nullable ReplayCapture replay) {
    this.scope = scope;
    this.replay = replay;
    SpatialSearch search = new SpatialSearch(scope.plan()::hasMapInside);
    this.search = search;
    this.open =
        new OpenBlocks(
            (block, outputs) -> {
              search.returned(block, outputs);
              return outputs;
            });
    open.enter(scope.root());
  }

  @Override
  @Nullable BlockCall enter(Block block) {
    return isReplaying() && replay != null ? replay.enter(block) : open.enter(block);
  }

  @Override
  @Nullable NDList run(PtSymbolBlock block, NDList inputs, boolean training) {
    return replay == null ? null : replay.run(block, inputs, training);
  }

  @Override
  boolean isReplaying() {
    return replay != null && replay.isReplaying();
  }

  @Override
  @Nullable Object exit(@Nullable Object result, @Nullable Throwable thrown) {
    if (thrown == null) {
      try {
        if (result instanceof NDList outputs) {
          search.ended(outputs);
        }
        scope.plan().foundSpatial(moduleOf(search.found()), search.isInside(), scope.log());
      } catch (Throwable e) {
        scope.lost(e);
      }
    }
    if (replay == null) {
      scope.recorder().lost();
      scope
          .log()
          .info(
              "model %s: a training step runs once, so the one that looked for 'auto' was not captured"
                  .formatted(scope.plan().label()));
      return result;
    }
    return replay.exit(result, thrown);
  }

  @Override
  void abandon() {
    if (replay != null) {
      replay.abandon();
    }
  }

  private BlockTree.@Nullable Module moduleOf(@Nullable Block block) {
    for (BlockTree.Module module : BlockTree.of(scope.root())) {
      if (module.block() == block) {
        return module;
      }
    }
    return null;
  }
}
