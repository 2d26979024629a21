package io.camhook.agent.weave;

import static net.bytebuddy.matcher.ElementMatchers.named;
import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.training.ParameterStore;
import io.camhook.dispatch.EventLog;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import net.bytebuddy.ByteBuddy;
import net.bytebuddy.asm.MemberRemoval;
import net.bytebuddy.dynamic.loading.ByteArrayClassLoader;
import net.bytebuddy.implementation.FixedValue;
import org.junit.jupiter.api.Test;

class DjlSignaturesTest {
  private final List<String> warnings = new ArrayList<>();
  private final DjlSignatures signatures =
      new DjlSignatures(
          new EventLog() {
            @Override
            public void info(String message) {}

            @Override
            public void warn(String message) {
              warnings.add(message);
            }

            @Override
            public void failure(String message, Throwable cause) {}
          });

  @Test
  void pinned_djl_should_have_every_method() {
    assertThat(signatures.matches(getClass().getClassLoader())).isTrue();
    assertThat(warnings).isEmpty();
  }

  @Test
  void loader_without_djl_should_be_no_mismatch() {
    assertThat(signatures.matches(ClassLoader.getPlatformClassLoader())).isTrue();
    assertThat(warnings).isEmpty();
  }

  @Test
  void other_djl_should_be_refused_in_one_line_that_names_what_is_missing() {
    // A DJL whose forward has lost its flag.
    byte[] other =
        new ByteBuddy()
            .subclass(Object.class)
            .name("ai.djl.nn.AbstractBaseBlock")
            .defineMethod("forward", NDList.class, Modifier.PUBLIC)
            .withParameters(ParameterStore.class, NDList.class)
            .intercept(FixedValue.nullValue())
            .make()
            .getBytes();
    ClassLoader loader = loader("ai.djl.nn.AbstractBaseBlock", other);

    assertThat(signatures.matches(loader)).isFalse();
    assertThat(signatures.matches(loader)).isFalse();
    assertThat(warnings)
        .containsExactly(
            "DJL 0.35.1 is not instrumented: camhook works with DJL 0.28 to 0.36, and this one has"
                + " no AbstractBaseBlock.forward(ParameterStore, NDList, boolean, PairList),"
                + " AbstractBaseBlock.forward(ParameterStore, NDList, NDList, PairList)");
  }

  /** 0.27's is {@code toByteBuffer()}; nothing that is woven calls it, the adapter does. */
  @Test
  void djl_without_a_method_that_only_the_adapter_calls_should_be_refused() {
    byte[] other =
        new ByteBuddy()
            .redefine(NDArray.class)
            .visit(new MemberRemoval().stripMethods(named("toByteBuffer")))
            .make()
            .getBytes();

    assertThat(signatures.matches(loader("ai.djl.ndarray.NDArray", other))).isFalse();
    assertThat(warnings)
        .containsExactly(
            "DJL 0.35.1 is not instrumented: camhook works with DJL 0.28 to 0.36, and this one has"
                + " no NDArray.toByteBuffer(boolean)");
  }

  private ClassLoader loader(String type, byte[] classFile) {
    return new ByteArrayClassLoader.ChildFirst(
        getClass().getClassLoader(),
        Map.of(type, classFile),
        ByteArrayClassLoader.PersistenceHandler.MANIFEST);
  }
}
