package io.camhook.agent.weave;

import io.camhook.dispatch.EventLog;
import java.util.Set;
import net.bytebuddy.agent.builder.AgentBuilder;

/** Weaves onnxruntime: creating, running and closing sessions. */
public final class OrtWeaver implements Weaving {
  private static final Set<String> TYPES =
      Set.of(OrtMethods.ENVIRONMENT, OrtMethods.SESSION, OrtMethods.OPTIONS, OrtMethods.CLOSER);

  @Override
  public boolean mayConcern(String internalName, byte[] classFile) {
    return internalName.startsWith("ai/onnxruntime/")
        && TYPES.contains(internalName.replace('/', '.'));
  }

  @Override
  public boolean mayConcern(Class<?> loaded) {
    return TYPES.contains(loaded.getName());
  }

  @Override
  public AgentBuilder addTo(AgentBuilder builder, EventLog log) {
    // In a class of its own: the JVM's verifier would load Byte Buddy together with this one.
    return OrtMethods.addTo(builder, log);
  }

  @Override
  public String adapter() {
    return "io/camhook/ort/";
  }
}
