package io.camhook.agent.weave;

import static net.bytebuddy.matcher.ElementMatchers.hasSuperType;
import static net.bytebuddy.matcher.ElementMatchers.isAbstract;
import static net.bytebuddy.matcher.ElementMatchers.isInterface;
import static net.bytebuddy.matcher.ElementMatchers.named;
import static net.bytebuddy.matcher.ElementMatchers.not;
import static net.bytebuddy.matcher.ElementMatchers.takesArgument;
import static net.bytebuddy.matcher.ElementMatchers.takesArguments;

import net.bytebuddy.agent.builder.AgentBuilder;
import net.bytebuddy.asm.Advice;

/** Weaves DJL's block forwards. */
public final class DjlWeaver implements Weaving {
  private static final String BLOCK = "ai.djl.nn.Block";
  private static final String BASE = "ai.djl.nn.AbstractBaseBlock";

  @Override
  public boolean mayConcern(String internalName, byte[] classFile) {
    return ConstantPool.hasPrefix(classFile, "(Lai/djl/training/ParameterStore;");
  }

  @Override
  public AgentBuilder addTo(AgentBuilder builder) {
    return builder
        .type(
            named(BASE)
                .or(hasSuperType(named(BLOCK)).and(not(isInterface())).and(not(isAbstract()))))
        .transform(
            (type, description, loader, module, domain) ->
                type.visit(
                    Advice.to(BlockForwardAdvice.class)
                        .on(
                            named("forward")
                                .and(takesArguments(4))
                                .and(takesArgument(0, named("ai.djl.training.ParameterStore")))
                                .and(not(isAbstract())))));
  }
}
