package io.camhook.djl.archive;

import ai.djl.nn.Block;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.JniUtils;
import io.camhook.dispatch.BlockCall;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** The loading of one session's archive, which is replaced by an instrumented copy. */
final class CopyLoad implements BlockCall {
  private static final String[] NO_FILES = {};

  private final Path copy;
  private final Object[] arguments;
  private @Nullable ScriptSource source;

  CopyLoad(PtNDManager manager, Path file, Path copy) {
    this.copy = copy;
    this.arguments = new Object[] {manager, file, false, NO_FILES, NO_FILES, false};
  }

  /** Loads through the woven call, which comes back to {@link #begin}. */
  PtSymbolBlock run() {
    PtSymbolBlock block = load();
    if (source == null) {
      block.close();
      throw new IllegalStateException(
          "the engine's loading of archives is not instrumented; the agent's messages say why");
    }
    return block;
  }

  /** Without the agent: does what the woven call would do. */
  PtSymbolBlock runUnwoven() {
    begin(arguments);
    PtSymbolBlock block = load();
    exit(block, null);
    return block;
  }

  private PtSymbolBlock load() {
    return JniUtils.loadModule(
        (PtNDManager) arguments[0],
        (Path) arguments[1],
        (Boolean) arguments[2],
        (String[]) arguments[3],
        (String[]) arguments[4],
        (Boolean) arguments[5]);
  }

  /** The engine is about to load {@code call}'s file. */
  CopyLoad begin(Object[] call) {
    ScriptSource original = ScriptSource.file((Path) call[1], call);
    try {
      original.replace(call, copy);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    source = original;
    return this;
  }

  @Override
  public @Nullable Object exit(@Nullable Object result, @Nullable Throwable thrown) {
    if (source != null && result instanceof Block block) {
      source.freeze(block);
    }
    return result;
  }
}
