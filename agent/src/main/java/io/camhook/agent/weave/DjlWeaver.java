package io.camhook.agent.weave;

import static net.bytebuddy.matcher.ElementMatchers.hasSuperType;
import static net.bytebuddy.matcher.ElementMatchers.isAbstract;
import static net.bytebuddy.matcher.ElementMatchers.isInterface;
import static net.bytebuddy.matcher.ElementMatchers.nameStartsWith;
import static net.bytebuddy.matcher.ElementMatchers.named;
import static net.bytebuddy.matcher.ElementMatchers.not;
import static net.bytebuddy.matcher.ElementMatchers.takesArgument;
import static net.bytebuddy.matcher.ElementMatchers.takesArguments;

import java.lang.instrument.Instrumentation;
import net.bytebuddy.ByteBuddy;
import net.bytebuddy.agent.builder.AgentBuilder;
import net.bytebuddy.agent.builder.ResettableClassFileTransformer;
import net.bytebuddy.asm.Advice;
import net.bytebuddy.dynamic.scaffold.MethodGraph;

/** Weaves DJL's block forwards. */
public final class DjlWeaver {
  private static final String BLOCK = "ai.djl.nn.Block";
  private static final String BASE = "ai.djl.nn.AbstractBaseBlock";

  private DjlWeaver() {}

  /** Installs the transformer; the result can undo it. */
  public static ResettableClassFileTransformer install(Instrumentation instrumentation) {
    return new AgentBuilder.Default(
            new ByteBuddy().with(MethodGraph.Compiler.ForDeclaredMethods.INSTANCE))
        .with(AgentBuilder.RedefinitionStrategy.RETRANSFORMATION)
        .with(AgentBuilder.TypeStrategy.Default.DECORATE)
        .with(AgentBuilder.DescriptionStrategy.Default.POOL_ONLY)
        .disableClassFormatChanges()
        .ignore(nameStartsWith("net.bytebuddy."))
        .type(
            named(BASE)
                .or(hasSuperType(named(BLOCK)).and(not(isInterface())).and(not(isAbstract()))))
        .transform(
            (builder, type, loader, module, domain) ->
                builder.visit(
                    Advice.to(BlockForwardAdvice.class)
                        .on(
                            named("forward")
                                .and(takesArguments(4))
                                .and(takesArgument(0, named("ai.djl.training.ParameterStore")))
                                .and(not(isAbstract())))))
        .installOn(instrumentation);
  }
}
