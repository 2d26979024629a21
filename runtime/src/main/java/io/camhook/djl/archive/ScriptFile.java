package io.camhook.djl.archive;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.JniUtils;
import io.camhook.torchscript.TorchScriptArchive;
import java.io.IOException;
import java.nio.file.Path;

/** The TorchScript archive of one session, and the native memory of the models loaded from it. */
public final class ScriptFile implements AutoCloseable {
  private final Path path;
  private final TorchScriptArchive archive;
  private final ScriptLoads loads;
  private final boolean woven;
  private final PtNDManager manager;

  /**
   * @param woven whether the engine's classes are instrumented
   * @throws IOException if it is not an archive, with the reason
   */
  public ScriptFile(Path path, ScriptLoads loads, boolean woven) throws IOException {
    this.path = path;
    this.archive = TorchScriptArchive.open(path);
    this.loads = loads;
    this.woven = woven;
    this.manager = (PtNDManager) Engine.getEngine("PyTorch").newBaseManager(Device.cpu());
  }

  public TorchScriptArchive archive() {
    return archive;
  }

  public boolean isWoven() {
    return woven;
  }

  /** Loads an instrumented copy of the archive. */
  public PtSymbolBlock load(Path copy) {
    PtSymbolBlock module = loads.load(manager, path, copy, woven);
    JniUtils.enableInferenceMode(module); // as the first forward of a predictor does
    return module;
  }

  /** For the arrays of one pass. */
  public PtNDManager scratch() {
    return (PtNDManager) manager.newSubManager();
  }

  @Override
  public void close() {
    manager.close();
  }
}
