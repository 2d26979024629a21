package io.camhook.agent.weave;

import static net.bytebuddy.matcher.ElementMatchers.hasSuperType;
import static net.bytebuddy.matcher.ElementMatchers.isAbstract;
import static net.bytebuddy.matcher.ElementMatchers.isConstructor;
import static net.bytebuddy.matcher.ElementMatchers.isInterface;
import static net.bytebuddy.matcher.ElementMatchers.isStatic;
import static net.bytebuddy.matcher.ElementMatchers.named;
import static net.bytebuddy.matcher.ElementMatchers.namedOneOf;
import static net.bytebuddy.matcher.ElementMatchers.not;
import static net.bytebuddy.matcher.ElementMatchers.takesArgument;
import static net.bytebuddy.matcher.ElementMatchers.takesArguments;

import io.camhook.dispatch.EventLog;
import java.io.DataInputStream;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.List;
import net.bytebuddy.agent.builder.AgentBuilder;

/** The methods of DJL that are woven, and the advice for each. */
final class DjlMethods {
  private static final String BLOCK = "ai.djl.nn.Block";
  private static final String PREDICTOR = "ai.djl.inference.Predictor";
  private static final String TRAINER = "ai.djl.training.Trainer";
  private static final String NDLIST = "ai.djl.ndarray.NDList";
  private static final String JNI = "ai.djl.pytorch.jni.JniUtils";
  private static final String CALLS = "ai.djl.pytorch.jni.IValueUtils";
  private static final String SCRIPT = "ai.djl.pytorch.engine.PtSymbolBlock";
  private static final String MODEL = "ai.djl.pytorch.engine.PtModel";

  private DjlMethods() {}

  static AgentBuilder addTo(AgentBuilder builder, EventLog log) {
    DjlSignatures compatible = new DjlSignatures(log);
    DispatchReach reach = new DispatchReach(log);
    return builder
        .type(reach.of(hasSuperType(named(BLOCK)).and(not(isInterface())), compatible))
        .transform(
            (type, description, loader, module, domain) ->
                type.visit(
                    AgentClassFiles.advice(BlockForwardAdvice.class, CallExitAdvice.class)
                        .on(
                            named("forward")
                                .and(takesArguments(4))
                                .and(takesArgument(0, named("ai.djl.training.ParameterStore")))
                                .and(not(isAbstract())))))
        .type(reach.of(named(PREDICTOR), compatible))
        .transform(
            (type, description, loader, module, domain) ->
                type.visit(AgentClassFiles.advice(OwnerAdvice.class).on(isConstructor()))
                    .visit(
                        AgentClassFiles.advice(RequestAdvice.class, RequestExitAdvice.class)
                            .on(named("batchPredict").and(takesArguments(List.class)))))
        .type(reach.of(named(TRAINER), compatible))
        .transform(
            (type, description, loader, module, domain) ->
                type.visit(AgentClassFiles.advice(OwnerAdvice.class).on(isConstructor()))
                    .visit(
                        AgentClassFiles.advice(TrainerAdvice.class, RequestExitAdvice.class)
                            .on(
                                namedOneOf("forward", "evaluate")
                                    .and(takesArgument(0, named(NDLIST))))))
        .type(reach.of(named(JNI), compatible))
        .transform(
            (type, description, loader, module, domain) ->
                type.visit(
                        AgentClassFiles.advice(BackwardAdvice.class)
                            .on(named("backward").and(takesArguments(4)).and(isStatic())))
                    .visit(
                        AgentClassFiles.advice(ModuleLoadAdvice.class, CallExitAdvice.class)
                            .on(
                                named("loadModule")
                                    .and(isStatic())
                                    .and(
                                        takesArguments(6)
                                            .and(takesArgument(1, Path.class))
                                            .or(
                                                takesArguments(4)
                                                    .and(takesArgument(1, InputStream.class)))))))
        .type(reach.of(named(CALLS), compatible))
        .transform(
            (type, description, loader, module, domain) ->
                type.visit(
                    AgentClassFiles.advice(ScriptRunAdvice.class)
                        .on(
                            named("forward")
                                .and(isStatic())
                                .and(takesArguments(3))
                                .and(takesArgument(1, named(NDLIST))))))
        .type(reach.of(named(SCRIPT), compatible))
        .transform(
            (type, description, loader, module, domain) ->
                type.visit(
                    AgentClassFiles.advice(ParametersLoadAdvice.class)
                        .on(
                            named("loadParameters")
                                .and(takesArguments(2))
                                .and(takesArgument(1, DataInputStream.class)))))
        .type(reach.of(named(MODEL), compatible))
        .transform(
            (type, description, loader, module, domain) ->
                type.visit(
                    AgentClassFiles.advice(ModelLoadAdvice.class, RequestExitAdvice.class)
                        .on(
                            named("load")
                                .and(
                                    takesArguments(3)
                                        .or(
                                            takesArguments(2)
                                                .and(takesArgument(1, boolean.class)))))));
  }
}
