package io.camhook.dispatch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class FailuresTest {
  private final List<String> said = new ArrayList<>();
  private final Failures failures =
      new Failures(
          new EventLog() {
            @Override
            public void info(String message) {
              said.add(message);
            }

            @Override
            public void warn(String message) {
              said.add(message);
            }

            @Override
            public void failure(String message, Throwable cause) {
              said.add(message + ": " + cause.getMessage());
            }
          });

  @AfterEach
  void unplug() {
    FailureBarrier.report(new Failures(EventLog.SILENT));
  }

  @Test
  void distinct_causes_should_each_be_logged_once_and_all_be_counted() {
    for (int i = 0; i < 3; i++) {
      failures.add("a pass", thrownHere());
      failures.add("a pass", thrownThere());
    }
    assertThat(said).hasSize(2);
    assertThat(failures.count()).isEqualTo(6);
    assertThat(failures.causes().values()).containsExactly(3L, 3L);
  }

  private static RuntimeException thrownHere() {
    return new IllegalStateException("here");
  }

  private static RuntimeException thrownThere() {
    return new IllegalStateException("there");
  }

  @Test
  void what_works_again_should_be_said_once_with_the_number_of_failures() {
    failures.worked("a pass");
    failures.add("a pass", thrownHere());
    failures.add("a pass", thrownHere());
    failures.worked("another");
    failures.worked("a pass");
    failures.worked("a pass");

    assertThat(said.subList(1, said.size()))
        .containsExactly("recovered: this works again: a pass (2 times)");
  }

  @Test
  void door_should_keep_errors_inside_and_let_only_the_users_own_out() {
    FailureBarrier.report(failures);
    FailureBarrier door = new FailureBarrier("a forward");
    UnsupportedOperationException users = new UnsupportedOperationException();
    UserFailure.mark(users);

    assertThatCode(() -> door.failed(new NoClassDefFoundError("x"))).doesNotThrowAnyException();
    assertThatCode(() -> door.failed(new ExceptionInInitializerError("y")))
        .doesNotThrowAnyException();
    assertThatThrownBy(() -> door.failed(users)).isSameAs(users);
    assertThat(failures.count()).isEqualTo(2);
  }

  @Test
  void failure_to_log_should_be_counted_and_nothing_else() {
    Failures mute =
        new Failures(
            new EventLog() {
              @Override
              public void info(String message) {}

              @Override
              public void warn(String message) {}

              @Override
              public void failure(String message, Throwable cause) {
                throw new OutOfMemoryError();
              }
            });
    mute.add("a pass", thrownHere());
    assertThat(mute.count()).isEqualTo(1);
  }
}
