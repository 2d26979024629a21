package io.camhook.agent.weave;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDList;
import ai.djl.training.ParameterStore;
import io.camhook.dispatch.EventLog;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import net.bytebuddy.ByteBuddy;
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
    ClassLoader loader =
        new ByteArrayClassLoader.ChildFirst(
            getClass().getClassLoader(),
            Map.of("ai.djl.nn.AbstractBaseBlock", other),
            ByteArrayClassLoader.PersistenceHandler.MANIFEST);

    assertThat(signatures.matches(loader)).isFalse();
    assertThat(signatures.matches(loader)).isFalse();
    assertThat(warnings)
        .containsExactly(
            "this DJL is not instrumented: expected ai.djl.ndarray.NDList"
                + " ai.djl.nn.AbstractBaseBlock.forward(ai.djl.training.ParameterStore,"
                + "ai.djl.ndarray.NDList,boolean,ai.djl.util.PairList) and ai.djl.ndarray.NDList"
                + " ai.djl.nn.AbstractBaseBlock.forward(ai.djl.training.ParameterStore,"
                + "ai.djl.ndarray.NDList,ai.djl.ndarray.NDList,ai.djl.util.PairList), found none;"
                + " use DJL 0.35");
  }
}
