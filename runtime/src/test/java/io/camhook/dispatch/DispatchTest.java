package io.camhook.dispatch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.List;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What woven code calls: whatever an adapter throws, the application continues. */
class DispatchTest {
  private final Failures failures = new Failures(EventLog.SILENT);
  private final Object[] arguments = {"given"};

  @AfterEach
  void unplug() {
    Dispatch.install(null);
    FailureBarrier.report(new Failures(EventLog.SILENT));
  }

  @Test
  void errors_of_an_adapter_should_end_at_each_door_and_be_counted() throws Exception {
    install(() -> new NoClassDefFoundError("ai/djl/Gone"));
    goThroughAll();
    install(() -> new ExceptionInInitializerError("no such field"));
    goThroughAll();

    assertThat(failures.count()).isEqualTo(2 * 7);
    assertThat(Dispatch.awaitIdle(Duration.ZERO)).isTrue();
  }

  private void goThroughAll() {
    Object block = this; // of a class that sees DJL
    assertThat(Dispatch.enter(block, arguments, block.getClass())).isNull();
    assertThat(Dispatch.archive(block, arguments)).isNull();
    assertThat(Dispatch.run(block, "inputs", false)).isNull();
    assertThat(Dispatch.request(block, List.of())).isNull();
    assertThat(Dispatch.loading(block)).isNull();
    assertThat(Dispatch.backward(block, "gradient", false, false)).isFalse();
    Dispatch.opened(block);
    assertThat(arguments).containsExactly("given");
  }

  @Test
  void end_of_a_call_that_fails_should_give_the_application_its_own_result() throws Exception {
    BlockCall failing =
        (result, thrown) -> {
          throw new StackOverflowError();
        };
    install(method -> failing);

    BlockCall call = Dispatch.enter(this, arguments, getClass());
    assertThat(call).isSameAs(failing);
    assertThat(Dispatch.exit(call, "own", null)).isEqualTo("own");
    assertThat(failures.count()).isEqualTo(1);
    assertThat(Dispatch.awaitIdle(Duration.ZERO)).isTrue();
  }

  @Test
  void what_a_hook_of_the_application_throws_should_pass() {
    UnsupportedOperationException own = new UnsupportedOperationException();
    install(() -> UserFailure.of(own));

    assertThatThrownBy(() -> Dispatch.enter(this, arguments, getClass())).isSameAs(own);
    assertThat(failures.count()).isZero();
  }

  private void install(Supplier<Throwable> failure) {
    install(
        method -> {
          throw failure.get();
        });
  }

  private void install(Answer answer) {
    EngineCalls engine =
        (EngineCalls)
            Proxy.newProxyInstance(
                getClass().getClassLoader(),
                new Class<?>[] {EngineCalls.class},
                (proxy, method, given) -> answer.to(method.getName()));
    Dispatch.install(List::of, type -> engine, failures);
  }

  private interface Answer {
    Object to(String method) throws Throwable;
  }
}
