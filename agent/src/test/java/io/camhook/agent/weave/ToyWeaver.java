package io.camhook.agent.weave;

import static net.bytebuddy.matcher.ElementMatchers.named;

import io.camhook.dispatch.EventLog;
import net.bytebuddy.agent.builder.AgentBuilder;
import net.bytebuddy.asm.Advice;

/** The weaving recipe of the toy engine: its only method, with the same advice as other engines. */
public final class ToyWeaver implements Weaving {
  private static final String NETWORK = "app.toy.ToyNetwork";

  @Override
  public boolean mayConcern(String internalName, byte[] classFile) {
    return internalName.replace('/', '.').equals(NETWORK);
  }

  @Override
  public boolean mayConcern(Class<?> loaded) {
    return loaded.getName().equals(NETWORK);
  }

  @Override
  public AgentBuilder addTo(AgentBuilder builder, EventLog log) {
    return builder
        .type(named(NETWORK))
        .transform(
            (type, description, loader, module, domain) ->
                type.visit(
                    Advice.to(SessionRunAdvice.class, CallExitAdvice.class).on(named("run"))));
  }
}
