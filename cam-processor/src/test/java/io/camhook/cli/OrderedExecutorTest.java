package io.camhook.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class OrderedExecutorTest {
  @Test
  void results_should_come_in_the_order_of_the_work() throws Exception {
    List<Integer> results = new ArrayList<>();
    CountDownLatch second = new CountDownLatch(1);
    try (OrderedExecutor<Integer> work = new OrderedExecutor<>(2, results::add)) {
      work.add(
          () -> {
            second.await();
            return 0;
          });
      work.add(
          () -> {
            second.countDown(); // the second is done before the first
            return 1;
          });
      for (int i = 2; i < 50; i++) {
        int number = i;
        work.add(() -> number);
      }
      work.finish();
    }
    assertThat(results).hasSize(50).isSorted();
  }

  @Test
  void work_under_way_should_be_bounded() throws Exception {
    AtomicInteger underWay = new AtomicInteger();
    AtomicInteger most = new AtomicInteger();
    try (OrderedExecutor<Integer> work =
        new OrderedExecutor<>(2, result -> underWay.decrementAndGet())) {
      for (int i = 0; i < 100; i++) {
        work.add(() -> most.accumulateAndGet(underWay.incrementAndGet(), Math::max));
      }
      work.finish();
    }
    assertThat(most.get()).isBetween(1, 5);
  }

  @Test
  void what_work_throws_should_reach_the_caller() {
    try (OrderedExecutor<Integer> work = new OrderedExecutor<>(2, result -> {})) {
      assertThatThrownBy(
              () -> {
                work.add(
                    () -> {
                      throw new IOException("disk full");
                    });
                work.finish();
              })
          .isInstanceOf(IOException.class)
          .hasMessage("disk full");
    }
  }
}
