package io.camhook.agent.weave;

import io.camhook.dispatch.EventLog;
import net.bytebuddy.agent.builder.AgentBuilder;
import org.jspecify.annotations.Nullable;

/** One family of classes to weave, and the advice for it. Thread-safe. */
public interface Weaving {
  /**
   * Whether a class may be of this family, judged by its bytes alone and cheaply: it is called for
   * every class that the JVM loads. Byte Buddy starts when the first answer is yes.
   *
   * @param internalName name with slashes
   * @param classFile the class file, not to be changed
   */
  boolean mayConcern(String internalName, byte[] classFile);

  /**
   * Whether a class that was loaded before the agent came may be of this family. Retransforming a
   * class costs milliseconds, so only these are.
   */
  boolean mayConcern(Class<?> loaded);

  /** Adds the type matcher and its transformations. Called once. */
  AgentBuilder addTo(AgentBuilder builder, EventLog log);

  /** Beginning of the names, with slashes, of the adapter's own classes, which are never woven. */
  default @Nullable String adapter() {
    return null;
  }
}
