package io.camhook.agent.weave;

import static org.assertj.core.api.Assertions.assertThat;

import app.nn.Scale;
import io.camhook.dispatch.EventLog;
import java.lang.instrument.Instrumentation;
import java.util.ArrayList;
import java.util.List;
import net.bytebuddy.agent.ByteBuddyAgent;
import net.bytebuddy.agent.builder.AgentBuilder;
import net.bytebuddy.matcher.ElementMatchers;
import org.junit.jupiter.api.Test;

class WeaverTest {
  @Test
  void class_that_cannot_be_woven_should_run_as_it_is_and_be_counted_and_logged_once() {
    Instrumentation instrumentation = ByteBuddyAgent.install();
    List<String> log = new ArrayList<>();
    Weaver weaver =
        new Weaver(
            List.of(new Failing()),
            (type, loader) -> {},
            new EventLog() {
              @Override
              public void info(String message) {}

              @Override
              public void warn(String message) {}

              @Override
              public void failure(String message, Throwable cause) {
                log.add(message + ": " + cause.getCause().getMessage());
              }
            });
    new Scale(1);
    weaver.install(instrumentation);
    try {
      assertThat(weaver.woven()).isZero();
      assertThat(weaver.failed()).isEqualTo(1);
      weaver.remove(instrumentation);
      weaver.install(instrumentation);
      assertThat(weaver.failed()).isEqualTo(2);
      assertThat(log)
          .containsExactly("app.nn.Scale could not be instrumented and runs as it is: on purpose");
      assertThat(new Scale(3).forward(new float[] {2})).containsExactly(6);
    } finally {
      weaver.remove(instrumentation);
    }
  }

  private static final class Failing implements Weaving {
    @Override
    public boolean mayConcern(String internalName, byte[] classFile) {
      return internalName.equals("app/nn/Scale");
    }

    @Override
    public boolean mayConcern(Class<?> loaded) {
      return loaded == Scale.class;
    }

    @Override
    public AgentBuilder addTo(AgentBuilder builder, EventLog log) {
      return builder
          .type(ElementMatchers.named("app.nn.Scale"))
          .transform(
              (type, description, loader, module, domain) -> {
                throw new IllegalStateException("on purpose");
              });
    }
  }
}
