package io.camhook.agent.weave;

import io.camhook.dispatch.Dispatch;
import io.camhook.dispatch.EventLog;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.WeakHashMap;
import net.bytebuddy.agent.builder.AgentBuilder;
import net.bytebuddy.description.type.TypeDescription;
import net.bytebuddy.matcher.ElementMatcher;
import org.jspecify.annotations.Nullable;

/**
 * Checks whether woven code can find the dispatcher, which is one of the agent's classes. A loader
 * that does not delegate to the system class loader (its parent is the platform loader; OSGi, JBoss
 * Modules) does not see it, and each woven call would throw. Classes of such loaders are not woven,
 * and one line per kind of loader says so.
 */
final class DispatchReach {
  private final EventLog log;
  private final Map<ClassLoader, String> refusals = new WeakHashMap<>();
  private final Set<String> said = new HashSet<>();

  DispatchReach(EventLog log) {
    this.log = log;
  }

  /** Types of {@code types} that can be woven; {@code loaders} is asked first. */
  AgentBuilder.RawMatcher of(
      ElementMatcher<? super TypeDescription> types, ElementMatcher<? super ClassLoader> loaders) {
    return (type, loader, module, redefined, domain) ->
        loaders.matches(loader) && types.matches(type) && isReached(type.getName(), loader);
  }

  /**
   * The type of that name, if it can be woven. The loader is asked only if the name is right: an
   * application without the library must not be told what its library lacks.
   */
  AgentBuilder.RawMatcher named(String name, ElementMatcher<? super ClassLoader> loaders) {
    return (type, loader, module, redefined, domain) ->
        type.getName().equals(name) && loaders.matches(loader) && isReached(name, loader);
  }

  private boolean isReached(String type, @Nullable ClassLoader loader) {
    if (loader == null) {
      return false;
    }
    synchronized (refusals) {
      String refusal = refusals.computeIfAbsent(loader, DispatchReach::refusal);
      if (!refusal.isEmpty() && said.add(loader.getClass().getName() + refusal)) {
        log.warn(
            "%s, and other classes of its class loader %s, are not instrumented: the loader %s"
                .formatted(type, loader.getClass().getName(), refusal));
      }
      return refusal.isEmpty();
    }
  }

  /** Empty if there is none. */
  private static String refusal(ClassLoader loader) {
    try {
      return Class.forName(Dispatch.class.getName(), false, loader) == Dispatch.class
          ? ""
          : "has another copy of camhook, which hides the agent's; remove it from there";
    } catch (ClassNotFoundException | LinkageError e) {
      return "does not see the agent's classes; give the agent bootstrap=true (OSGi also needs"
          + " org.osgi.framework.bootdelegation=io.camhook.*, JBoss Modules"
          + " -Djboss.modules.system.pkgs=io.camhook)";
    }
  }
}
