package io.camhook.explain;

import ai.djl.Model;
import ai.djl.nn.Block;
import io.camhook.Hooks;
import io.camhook.engine.EngineAdapter;
import io.camhook.engine.ModelSession;
import io.camhook.naming.ModuleDescription;
import java.io.IOException;
import java.util.Collection;
import java.util.List;
import java.util.Map;

/**
 * One of the application's models, made of Java blocks.
 *
 * @param model kept because DJL closes a model that is no longer referenced
 */
record BlockSource(Object model, Block block, EngineAdapter adapter, ModelListing listing)
    implements ModelSource {
  static BlockSource of(Model model) {
    return of(model, model.getBlock(), model.getName());
  }

  static BlockSource of(Block block) {
    return of(block, block, block.getClass().getSimpleName());
  }

  private static BlockSource of(Object model, Block block, String name) {
    Hooks.requireAgent();
    EngineAdapter adapter = ExplainEngine.adapter();
    ModelListing listing =
        new ModelListing(name, adapter.describe(block), List.of(), Map.of(), null, null);
    return new BlockSource(model, block, adapter, listing);
  }

  @Override
  public ModelSession open(Collection<String> paths) {
    return adapter.attach(block, paths);
  }

  @Override
  public double epsilon(ModuleDescription batchNorm, ModelSession session) throws IOException {
    return session.parameter(batchNorm.path() + ".epsilon").orElseThrow().toFloats()[0];
  }
}
