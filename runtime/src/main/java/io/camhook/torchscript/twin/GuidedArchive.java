package io.camhook.torchscript.twin;

import io.camhook.torchscript.archive.ArchiveCopy;
import java.io.IOException;
import java.nio.file.Path;

/**
 * An archive with a method for guided backpropagation added, ready to be written. Immutable and
 * safe for concurrent use.
 *
 * <p>{@link #method} takes the inputs of {@code forward} and returns {@code (result, cuts)}: a
 * {@code List[Tensor]} with two entries for every ReLU that ran, its result and a leaf with the
 * same values, from which the model continued. So no graph spans a ReLU, and the gradient that
 * arrives at a leaf can be changed before it is passed on. The method needs grad mode on.
 *
 * <p>ReLUs are the operators {@code relu}, {@code clamp_min} and {@code clamp} at 0 without an
 * upper bound, and {@code threshold} of 0 at 0, also in place, anywhere in the code that {@code
 * forward} reaches: in modules, as functions, and in archives whose modules were inlined.
 * (pytorch-grad-cam and Captum guide {@code nn.ReLU} modules only.) As in those libraries, ReLU6,
 * leaky and other rectifiers keep their plain gradient; a model that has only those is rejected.
 */
public final class GuidedArchive {
  private final ArchiveCopy copy;
  private final String method;

  public GuidedArchive(ArchiveCopy copy, String method) {
    this.copy = copy;
    this.method = method;
  }

  /** The added method's name. */
  public String method() {
    return method;
  }

  /** Writes the archive in the same way as {@link InstrumentedArchive#write}. */
  public void write(Path target) throws IOException {
    copy.write(target);
  }
}
