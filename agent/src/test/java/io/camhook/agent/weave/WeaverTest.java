package io.camhook.agent.weave;

import static org.assertj.core.api.Assertions.assertThat;

import app.nn.AddOne;
import app.nn.Scale;
import io.camhook.dispatch.EventLog;
import java.lang.instrument.Instrumentation;
import java.util.ArrayList;
import java.util.List;
import net.bytebuddy.agent.ByteBuddyAgent;
import net.bytebuddy.agent.builder.AgentBuilder;
import net.bytebuddy.asm.Advice;
import net.bytebuddy.asm.AsmVisitorWrapper;
import net.bytebuddy.description.field.FieldDescription;
import net.bytebuddy.description.field.FieldList;
import net.bytebuddy.description.method.MethodList;
import net.bytebuddy.description.type.TypeDescription;
import net.bytebuddy.implementation.Implementation;
import net.bytebuddy.jar.asm.ClassVisitor;
import net.bytebuddy.jar.asm.Opcodes;
import net.bytebuddy.matcher.ElementMatchers;
import net.bytebuddy.pool.TypePool;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class WeaverTest {
  @Test
  void class_that_cannot_be_woven_should_run_as_it_is_and_be_counted_and_logged_once() {
    Instrumentation instrumentation = ByteBuddyAgent.install();
    List<String> log = new ArrayList<>();
    Weaver weaver = weaver(new Failing(), log);
    new Scale(1);
    weaver.install(instrumentation);
    try {
      assertThat(weaver.woven()).isZero();
      assertThat(weaver.failed()).isEqualTo(1);
      weaver.remove(instrumentation);
      weaver.install(instrumentation);
      assertThat(weaver.failed()).isEqualTo(2);
      assertThat(log)
          .containsExactly("app.nn.Scale could not be instrumented and runs unchanged: on purpose");
      assertThat(new Scale(3).forward(new float[] {2})).containsExactly(6);
    } finally {
      weaver.remove(instrumentation);
    }
  }

  /** All loaded classes are retransformed at once; the JVM then takes all of them or none. */
  @Test
  void class_that_the_jvm_refuses_should_leave_the_others_woven() {
    Instrumentation instrumentation = ByteBuddyAgent.install();
    List<String> log = new ArrayList<>();
    Weaver weaver = weaver(new Refused(), log);
    new Scale(1);
    assertThat(threeOrNull()).containsExactly(3);
    weaver.install(instrumentation);
    try {
      assertThat(weaver.failed()).isEqualTo(1);
      assertThat(log)
          .hasSize(1)
          .first()
          .asString()
          .contains("app.nn.Scale could not be instrumented", "class redefinition failed");
      assertThat(new Scale(3).forward(new float[] {2})).containsExactly(6);
      assertThat(threeOrNull()).isNull();
    } finally {
      weaver.remove(instrumentation);
    }
    assertThat(threeOrNull()).containsExactly(3);
  }

  private static float @Nullable [] threeOrNull() {
    return new AddOne().afterForward("", "", new float[] {}, new float[] {2});
  }

  private static final class Nothing {
    @Advice.OnMethodExit
    static void exit(@Advice.Return(readOnly = false) float[] result) {
      result = null;
    }
  }

  /** Byte Buddy does not notice that the class has changed. */
  private static final class OneMoreField extends AsmVisitorWrapper.AbstractBase {
    @Override
    public ClassVisitor wrap(
        TypeDescription type,
        ClassVisitor visitor,
        Implementation.Context context,
        TypePool pool,
        FieldList<FieldDescription.InDefinedShape> fields,
        MethodList<?> methods,
        int writerFlags,
        int readerFlags) {
      return new ClassVisitor(Opcodes.ASM9, visitor) {
        @Override
        public void visitEnd() {
          visitField(0, "notThereBefore", "I", null, null).visitEnd();
          super.visitEnd();
        }
      };
    }
  }

  private static final class Refused implements Weaving {
    @Override
    public boolean mayConcern(String internalName, byte[] classFile) {
      return internalName.equals("app/nn/Scale") || internalName.equals("app/nn/AddOne");
    }

    @Override
    public boolean mayConcern(Class<?> loaded) {
      return loaded == Scale.class || loaded == AddOne.class;
    }

    @Override
    public AgentBuilder addTo(AgentBuilder builder, EventLog log) {
      return builder
          .type(ElementMatchers.named("app.nn.Scale"))
          .transform((type, description, loader, module, domain) -> type.visit(new OneMoreField()))
          .type(ElementMatchers.named("app.nn.AddOne"))
          .transform(
              (type, description, loader, module, domain) ->
                  type.visit(Advice.to(Nothing.class).on(ElementMatchers.returns(float[].class))));
    }
  }

  private static Weaver weaver(Weaving weaving, List<String> failures) {
    EventLog log =
        new EventLog() {
          @Override
          public void info(String message) {}

          @Override
          public void warn(String message) {}

          @Override
          public void failure(String message, Throwable cause) {
            Throwable reason = cause.getCause() == null ? cause : cause.getCause();
            failures.add(message + ": " + reason.getMessage());
          }
        };
    return new Weaver(List.of(weaving), (type, loader) -> {}, log);
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
