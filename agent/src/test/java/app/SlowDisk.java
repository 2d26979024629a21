package app;

import java.lang.instrument.Instrumentation;
import java.nio.ByteBuffer;
import net.bytebuddy.agent.builder.AgentBuilder;
import net.bytebuddy.asm.Advice;
import net.bytebuddy.matcher.ElementMatchers;

/** An agent for tests: each write to a file channel takes ten milliseconds more. */
public final class SlowDisk {
  private SlowDisk() {}

  public static void premain(String options, Instrumentation instrumentation) {
    new AgentBuilder.Default()
        .disableClassFormatChanges()
        .with(AgentBuilder.RedefinitionStrategy.RETRANSFORMATION)
        .ignore(ElementMatchers.none())
        .type(ElementMatchers.named("sun.nio.ch.FileChannelImpl"))
        .transform(
            (builder, type, loader, module, domain) ->
                builder.visit(
                    Advice.to(Wait.class)
                        .on(
                            ElementMatchers.named("write")
                                .and(ElementMatchers.takesArgument(0, ByteBuffer.class)))))
        .installOn(instrumentation);
  }

  /** Inlined; it calls only the JDK. */
  public static final class Wait {
    private Wait() {}

    @Advice.OnMethodEnter
    public static void enter() throws InterruptedException {
      Thread.sleep(10);
    }
  }
}
