package io.camhook.agent.weave;

import net.bytebuddy.asm.Advice;
import net.bytebuddy.dynamic.ClassFileLocator;
import org.jspecify.annotations.Nullable;

/**
 * Where Byte Buddy finds the class files of the agent. With {@code bootstrap=true} the classes are
 * the bootstrap loader's, which finds classes in a jar that was appended to it and no resources;
 * the system's loader has the same jar.
 */
final class AgentClassFiles {
  static final ClassFileLocator LOCATOR = locator(AgentClassFiles.class.getClassLoader());

  private AgentClassFiles() {}

  private static ClassFileLocator locator(@Nullable ClassLoader agent) {
    return agent == null
        ? ClassFileLocator.ForClassLoader.ofSystemLoader()
        : ClassFileLocator.ForClassLoader.of(agent);
  }

  static Advice advice(Class<?> type) {
    return Advice.to(type, LOCATOR);
  }

  static Advice advice(Class<?> enter, Class<?> exit) {
    return Advice.to(enter, exit, LOCATOR);
  }
}
