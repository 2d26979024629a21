package io.camhook.explain;

import ai.djl.engine.Engine;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The messages of libtorch when a model fails, without the stack trace through its C++ source. */
final class EngineMessages {
  private static final Pattern UNKNOWN_OPERATOR =
      Pattern.compile("Unknown (?:builtin )?op(?:erator)?:? '?([\\w.:]+?)'?[.\\s]");

  /** What loading a {@code prim::ConstantMKLDNNTensor} ends with: its value was not saved. */
  private static final String LOST_CONSTANT = "required keyword attribute 'value' is undefined";

  private static final String CAUSE = "RuntimeError: ";

  private EngineMessages() {}

  static String shortened(Throwable e) {
    String message = String.valueOf(e.getMessage());
    int at = message.lastIndexOf(CAUSE);
    if (at >= 0) {
      message = message.substring(at + CAUSE.length());
    }
    return message.strip().lines().findFirst().orElse("no message");
  }

  /** Why PyTorch cannot load an archive, such as one that a newer torch wrote. */
  static String unloadable(RuntimeException e) {
    String message = String.valueOf(e.getMessage());
    Matcher operator = UNKNOWN_OPERATOR.matcher(message);
    boolean newer = message.contains("maximum supported version for reading");
    if (message.contains(LOST_CONSTANT)) {
      return "torch.jit.save did not write the oneDNN constants that torch.jit.optimize_for_inference made, so that neither PyTorch nor Python can load it (%s); save what torch.jit.freeze returns"
          .formatted(LOST_CONSTANT);
    }
    if (!operator.find() && !newer) {
      return "PyTorch cannot load it: " + shortened(e);
    }
    return "it was written by a newer torch than the %s that reads it here (%s); export the model again with that version, or without newer features"
        .formatted(
            Engine.getInstance().getVersion(),
            newer
                ? "its format is newer"
                : "it calls %s, which this one does not have".formatted(operator.group(1)));
  }
}
