package io.camhook.agent.weave;

import static net.bytebuddy.matcher.ElementMatchers.isPublic;
import static net.bytebuddy.matcher.ElementMatchers.isStatic;
import static net.bytebuddy.matcher.ElementMatchers.nameStartsWith;
import static net.bytebuddy.matcher.ElementMatchers.named;
import static net.bytebuddy.matcher.ElementMatchers.namedOneOf;
import static net.bytebuddy.matcher.ElementMatchers.not;
import static net.bytebuddy.matcher.ElementMatchers.takesArgument;
import static net.bytebuddy.matcher.ElementMatchers.takesArguments;

import io.camhook.dispatch.EventLog;
import java.util.Map;
import java.util.Set;
import net.bytebuddy.agent.builder.AgentBuilder;

/** The methods of onnxruntime that are woven, and the advice for each. */
final class OrtMethods {
  static final String ENVIRONMENT = "ai.onnxruntime.OrtEnvironment";
  static final String SESSION = "ai.onnxruntime.OrtSession";
  static final String OPTIONS = "ai.onnxruntime.OrtSession$SessionOptions";

  /** The shutdown hook of onnxruntime. */
  static final String CLOSER = "ai.onnxruntime.OrtEnvironment$OrtEnvCloser";

  static final String ALLOCATOR = "ai.onnxruntime.OrtAllocator";
  static final String RUN_OPTIONS = "ai.onnxruntime.OrtSession$RunOptions";

  private OrtMethods() {}

  static AgentBuilder addTo(AgentBuilder builder, EventLog log) {
    OrtSignatures compatible = new OrtSignatures(log);
    DispatchReach reach = new DispatchReach(log);
    return builder
        .type(reach.named(ENVIRONMENT, compatible))
        .transform(
            (type, description, loader, module, domain) ->
                type.visit(
                    // All others (path, array or buffer) end in these.
                    AgentClassFiles.advice(SessionCreationAdvice.class, CallExitAdvice.class)
                        .on(
                            named("createSession")
                                .and(takesArguments(3))
                                .and(takesArgument(1, named(ALLOCATOR))))))
        .type(reach.named(SESSION, compatible))
        .transform(
            (type, description, loader, module, domain) ->
                type.visit(
                        // All others end in this one: of 3 arguments until 1.17, of 4 since.
                        AgentClassFiles.advice(SessionRunAdvice.class, CallExitAdvice.class)
                            .on(
                                named("run")
                                    .and(isPublic())
                                    .and(takesArgument(0, Map.class))
                                    .and(takesArgument(1, Set.class))
                                    .and(new OrtSignatures.LongestRun())))
                    .visit(
                        AgentClassFiles.advice(SessionEndAdvice.class)
                            .on(named("close").and(takesArguments(0)).and(not(isStatic())))))
        .type(reach.named(OPTIONS, compatible))
        .transform(
            (type, description, loader, module, domain) ->
                type.visit(
                    AgentClassFiles.advice(OwnerAdvice.class)
                        .on(
                            isPublic()
                                .and(nameStartsWith("add"))
                                .and(
                                    not(
                                        namedOneOf(
                                            "addCPU",
                                            "addConfigEntry",
                                            "addInitializer",
                                            "addExternalInitializers"))))))
        .type(reach.named(CLOSER, compatible))
        .transform(
            (type, description, loader, module, domain) ->
                type.visit(AgentClassFiles.advice(SessionEndAdvice.class).on(named("run"))));
  }
}
