package io.camhook.djl.archive;

import ai.djl.MalformedModelException;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Block;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.JniUtils;
import io.camhook.recording.ModelFile;
import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/*
 * DJL loads archives in three ways:
 *
 *   JniUtils.loadModule(manager, path, mapLocation, extraKeys, extraValues, trainParam)
 *   JniUtils.loadModule(manager, stream, mapLocation, hasSize)
 *   block.loadParameters(manager, stream): a byte of version, the size, the archive
 */
/** The source of an archive, and how DJL's own call loads another archive instead. */
abstract class ScriptSource implements AutoCloseable {
  private static final int PATH = 1;
  private static final int TRAINABLE = 5;

  private ScriptSource() {}

  static ScriptSource file(Path file, Object[] arguments) {
    return new FromFile(file, arguments.clone());
  }

  /**
   * @param subject the block for {@code loadParameters}
   * @return null if the stream ends before an archive begins; the call finds the stream unchanged
   */
  static @Nullable ScriptSource stream(Object subject, Object[] arguments, String name)
      throws IOException {
    InputStream stream = (InputStream) arguments[PATH];
    int version = subject instanceof PtSymbolBlock ? 1 : 0;
    boolean sized = version > 0 || (Boolean) arguments[3];
    ArchiveSpool spool = ArchiveSpool.create(name.replace('/', '_')); // nothing is read yet
    byte[] header = stream.readNBytes(sized ? version + Long.BYTES : 0);
    if (sized && header.length < version + Long.BYTES) {
      spool.close();
      arguments[PATH] = new DataInputStream(new ByteArrayInputStream(header));
      return null;
    }
    spool.fill(stream, sized ? ByteBuffer.wrap(header).getLong(version) : -1);
    return new FromStream(subject, arguments.clone(), header, sized, spool);
  }

  /** The reason why another archive cannot replace this one; null if it can. */
  abstract @Nullable String unfit();

  /** The archive. */
  abstract Path file();

  /** The file that the application names, as it was before it was loaded; null for a stream. */
  abstract @Nullable ModelFile origin();

  /** Lets the call load {@code copy}. */
  abstract void replace(Object[] arguments, Path copy) throws IOException;

  /** Lets the call load the original archive. */
  abstract void again(Object[] arguments) throws IOException;

  /** Sets the parameters of a copy to the state that the archive's would have. */
  abstract void freeze(Block block);

  /** Loads the original archive, with the arguments of DJL's call. */
  abstract Block loadPlain() throws IOException, MalformedModelException;

  /** Loads {@code copy} instead. */
  abstract Block load(Path copy) throws IOException, MalformedModelException;

  @Override
  public abstract void close() throws IOException;

  private static final class FromFile extends ScriptSource {
    private final Path file;
    private final Object[] original;
    private final @Nullable ModelFile origin;

    FromFile(Path file, Object[] original) {
      this.file = file;
      this.original = original;
      this.origin = ModelFile.of(file);
    }

    @Override
    @Nullable String unfit() {
      return null;
    }

    @Override
    Path file() {
      return file;
    }

    @Override
    @Nullable ModelFile origin() {
      return origin;
    }

    @Override
    void replace(Object[] arguments, Path copy) {
      arguments[PATH] = copy;
      arguments[TRAINABLE] = true; // otherwise the weights cannot be saved for backward
    }

    @Override
    void again(Object[] arguments) {
      arguments[PATH] = file;
      arguments[TRAINABLE] = original[TRAINABLE];
    }

    @Override
    void freeze(Block block) {
      if (Boolean.FALSE.equals(original[TRAINABLE])) {
        block.freezeParameters(true);
      }
    }

    @Override
    Block loadPlain() {
      return load(file, (Boolean) original[TRAINABLE]);
    }

    @Override
    Block load(Path copy) {
      return load(copy, true);
    }

    private Block load(Path from, boolean trainable) {
      return JniUtils.loadModule(
          (PtNDManager) original[0],
          from,
          (Boolean) original[2],
          (String[]) original[3],
          (String[]) original[4],
          trainable);
    }

    @Override
    public void close() {}
  }

  private static final class FromStream extends ScriptSource {
    private final Object subject;
    private final Object[] original;
    private final byte[] header;
    private final boolean sized;
    private final ArchiveSpool spool;
    private @Nullable InputStream open;

    FromStream(
        Object subject, Object[] original, byte[] header, boolean sized, ArchiveSpool spool) {
      this.subject = subject;
      this.original = original;
      this.header = header;
      this.sized = sized;
      this.spool = spool;
    }

    @Override
    @Nullable String unfit() {
      return spool.unfit();
    }

    @Override
    Path file() {
      return spool.file();
    }

    @Override
    @Nullable ModelFile origin() {
      return null;
    }

    @Override
    void replace(Object[] arguments, Path copy) throws IOException {
      arguments[PATH] = stream(copy);
    }

    @Override
    void again(Object[] arguments) throws IOException {
      arguments[PATH] = stream(header, spool.open());
    }

    private DataInputStream stream(Path copy) throws IOException {
      byte[] headed = header.clone();
      if (sized) {
        ByteBuffer.wrap(headed).putLong(headed.length - Long.BYTES, Files.size(copy));
      }
      return stream(headed, Files.newInputStream(copy));
    }

    /** Reads it in the same way as DJL's call. */
    private DataInputStream stream(byte[] header, InputStream archive) throws IOException {
      closeStream();
      InputStream all = new SequenceInputStream(new ByteArrayInputStream(header), archive);
      DataInputStream stream = new DataInputStream(ArchiveSpool.inFullReads(all));
      open = stream;
      return stream;
    }

    @Override
    void freeze(Block block) {}

    @Override
    Block loadPlain() throws IOException, MalformedModelException {
      return load(stream(header, spool.open()));
    }

    @Override
    Block load(Path copy) throws IOException, MalformedModelException {
      return load(stream(copy));
    }

    private Block load(DataInputStream stream) throws IOException, MalformedModelException {
      if (subject instanceof PtSymbolBlock block) {
        block.loadParameters((NDManager) original[0], stream);
        return block;
      }
      return JniUtils.loadModule(
          (PtNDManager) original[0], stream, (Boolean) original[2], (Boolean) original[3]);
    }

    private void closeStream() throws IOException {
      InputStream before = open;
      open = null;
      if (before != null) {
        before.close();
      }
    }

    @Override
    public void close() throws IOException {
      closeStream();
      spool.close();
    }
  }
}
