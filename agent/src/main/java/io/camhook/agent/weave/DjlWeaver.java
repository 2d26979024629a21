package io.camhook.agent.weave;

import io.camhook.dispatch.EventLog;
import java.util.Set;
import net.bytebuddy.agent.builder.AgentBuilder;

/**
 * Weaves DJL: the forward of every block (in {@code AbstractBaseBlock}, whose forward is final, and
 * in blocks that declare their own), the predictor's request, the loading and running of
 * TorchScript archives, and the engine's backward.
 */
public final class DjlWeaver implements Weaving {
  private static final String BLOCK = "ai.djl.nn.Block";
  private static final Set<String> OTHERS =
      Set.of(
          "ai.djl.inference.Predictor",
          "ai.djl.training.Trainer",
          "ai.djl.pytorch.engine.PtModel",
          "ai.djl.pytorch.engine.PtSymbolBlock",
          "ai.djl.pytorch.jni.IValueUtils",
          "ai.djl.pytorch.jni.JniUtils");

  @Override
  public boolean mayConcern(String internalName, byte[] classFile) {
    return OTHERS.contains(internalName.replace('/', '.'))
        || ConstantPool.hasPrefix(classFile, "(Lai/djl/training/ParameterStore;");
  }

  @Override
  public boolean mayConcern(Class<?> loaded) {
    return OTHERS.contains(loaded.getName()) || isBlock(loaded);
  }

  /** By name, so that it does not matter which DJL the class was linked with. */
  private static boolean isBlock(Class<?> type) {
    for (Class<?> above = type; above != null; above = above.getSuperclass()) {
      for (Class<?> implemented : above.getInterfaces()) {
        if (implemented.getName().equals(BLOCK) || isBlock(implemented)) {
          return true;
        }
      }
    }
    return false;
  }

  @Override
  public AgentBuilder addTo(AgentBuilder builder, EventLog log) {
    // In a class of its own: the JVM's verifier would load Byte Buddy together with this one.
    return DjlMethods.addTo(builder, log);
  }

  @Override
  public String adapter() {
    return "io/camhook/djl/";
  }
}
