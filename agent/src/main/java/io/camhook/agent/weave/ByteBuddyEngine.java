package io.camhook.agent.weave;

import io.camhook.dispatch.EventLog;
import java.lang.instrument.ClassFileTransformer;
import java.util.List;
import net.bytebuddy.ByteBuddy;
import net.bytebuddy.agent.builder.AgentBuilder;
import net.bytebuddy.description.type.TypeDescription;
import net.bytebuddy.dynamic.DynamicType;
import net.bytebuddy.dynamic.scaffold.MethodGraph;
import net.bytebuddy.matcher.ElementMatchers;
import net.bytebuddy.utility.JavaModule;
import org.jspecify.annotations.Nullable;

/**
 * Starts Byte Buddy. Separate from {@link Weaver} so that none of Byte Buddy's classes are loaded
 * earlier.
 */
final class ByteBuddyEngine {
  private static final String NEXUS = "net.bytebuddy.nexus.disabled";

  private ByteBuddyEngine() {}

  static ClassFileTransformer start(List<Weaving> weavings, Weaver.Listener woven, EventLog log) {
    // The nexus is for class initializers, which advice does not use. Looking for its place causes
    // a warning about Unsafe on JDK 24 and later.
    String before = System.setProperty(NEXUS, "true");
    try {
      AgentBuilder builder =
          new AgentBuilder.Default(
                  new ByteBuddy().with(MethodGraph.Compiler.ForDeclaredMethods.INSTANCE))
              .with(AgentBuilder.TypeStrategy.Default.DECORATE)
              .with(AgentBuilder.DescriptionStrategy.Default.POOL_ONLY)
              .with(
                  AgentBuilder.LocationStrategy.ForClassLoader.STRONG.withFallbackTo(
                      AgentClassFiles.LOCATOR))
              .disableClassFormatChanges()
              .with(new Reports(woven))
              .ignore(ElementMatchers.isSynthetic());
      for (Weaving weaving : weavings) {
        builder = weaving.addTo(builder, log);
      }
      return builder.makeRaw();
    } finally {
      if (before == null) {
        System.clearProperty(NEXUS);
      } else {
        System.setProperty(NEXUS, before);
      }
    }
  }

  /** Throws failures, which {@link Weaver} reports. */
  private static final class Reports extends AgentBuilder.Listener.Adapter {
    private final Weaver.Listener woven;

    Reports(Weaver.Listener woven) {
      this.woven = woven;
    }

    @Override
    public void onTransformation(
        TypeDescription type,
        @Nullable ClassLoader loader,
        @Nullable JavaModule module,
        boolean loaded,
        DynamicType dynamicType) {
      woven.woven(type.getName(), loader);
    }
  }
}
