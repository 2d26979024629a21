package io.camhook.agent.weave;

import ai.djl.Model;
import ai.djl.ndarray.NDManager;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.engine.PtSymbolBlock;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The ways in which an application loads a TorchScript archive; the model's name is {@code net}.
 */
enum ScriptLoading {
  PATH {
    @Override
    void load(Model model, Path archive) throws Exception {
      model.load(archive.toAbsolutePath().getParent(), archive.getFileName().toString());
    }
  },
  STREAM {
    @Override
    void load(Model model, Path archive) throws Exception {
      model.load(new ByteArrayInputStream(Files.readAllBytes(archive)));
    }
  },
  PARAMETERS {
    @Override
    void load(Model model, Path archive) throws Exception {
      NDManager manager = model.getNDManager();
      model.setBlock(new PtSymbolBlock((PtNDManager) manager));
      byte[] bytes = Files.readAllBytes(archive);
      model.load(new ByteArrayInputStream(parameters(1, bytes.length, bytes)));
    }
  };

  /** Loads it into a new model; whoever gets it closes it. */
  final Model load(Path archive) throws Exception {
    Model model = Model.newInstance("net", "PyTorch");
    try {
      load(model, archive);
      return model;
    } catch (Throwable e) {
      model.close();
      throw e;
    }
  }

  abstract void load(Model model, Path archive) throws Exception;

  /** What {@code Model.save} writes, as far as the block's parameters. */
  static byte[] parameters(int version, long size, byte[] archive) throws IOException {
    ByteArrayOutputStream saved = new ByteArrayOutputStream();
    DataOutputStream file = new DataOutputStream(saved);
    file.writeBytes("DJL@");
    file.writeInt(1);
    file.writeUTF("net");
    file.writeUTF("FLOAT32");
    file.writeInt(0); // inputs
    file.writeInt(0); // properties
    file.writeByte(version);
    file.writeLong(size);
    file.write(archive);
    return saved.toByteArray();
  }
}
