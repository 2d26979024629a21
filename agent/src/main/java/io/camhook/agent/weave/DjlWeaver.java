package io.camhook.agent.weave;

import net.bytebuddy.agent.builder.AgentBuilder;

/**
 * Weaves DJL: the forward of every block (in {@code AbstractBaseBlock}, whose forward is final, and
 * in blocks that declare their own), the predictor's request and the engine's backward.
 */
public final class DjlWeaver implements Weaving {
  @Override
  public boolean mayConcern(String internalName, byte[] classFile) {
    return internalName.equals("ai/djl/inference/Predictor")
        || internalName.equals("ai/djl/training/Trainer")
        || internalName.equals("ai/djl/pytorch/jni/JniUtils")
        || ConstantPool.hasPrefix(classFile, "(Lai/djl/training/ParameterStore;");
  }

  @Override
  public AgentBuilder addTo(AgentBuilder builder) {
    // In a class of its own: the JVM's verifier would load Byte Buddy together with this one.
    return DjlMethods.addTo(builder);
  }
}
