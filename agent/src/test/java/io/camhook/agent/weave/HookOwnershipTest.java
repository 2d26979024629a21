package io.camhook.agent.weave;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDList;
import ai.djl.nn.Block;
import ai.djl.nn.LambdaBlock;
import ai.djl.training.ParameterStore;
import io.camhook.ForwardHook;
import io.camhook.HookHandle;
import io.camhook.Hooks;
import io.camhook.dispatch.Dispatch;
import java.lang.ref.Reference;
import java.lang.ref.WeakReference;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Who keeps whom alive. */
class HookOwnershipTest {
  @RegisterExtension static final HookedGraphs GRAPHS = new HookedGraphs();

  /** A registration whose module and hook nobody refers to any more. */
  private record Registered(
      HookHandle handle, WeakReference<Block> module, WeakReference<Object> hook) {}

  private static Registered register() {
    Block block = identity();
    AtomicInteger calls = new AtomicInteger(); // so that each hook is an object of its own
    ForwardHook<Block, NDList> hook =
        (m, p, in, out) -> {
          calls.incrementAndGet();
          return null;
        };
    HookHandle handle = Hooks.registerForwardHook(block, hook);
    return new Registered(handle, new WeakReference<>(block), new WeakReference<>(hook));
  }

  @Test
  void handle_should_keep_neither_module_nor_hook_alive() {
    Registered registered = register();
    awaitCollected(registered.module);
    // The hook is released with its module's entry, at the next access to the table.
    Awaitility.await()
        .until(
            () -> {
              forward(identity());
              System.gc();
              return registered.hook.refersTo(null);
            });
    registered.handle.remove(); // and may still be closed
    awaitInactive();
  }

  @Test
  void module_should_keep_its_hook_alive_without_the_handle() {
    Block block = identity();
    AtomicInteger calls = new AtomicInteger();
    WeakReference<HookHandle> handle = new WeakReference<>(counting(block, calls));
    awaitCollected(handle);
    forward(block);
    assertThat(calls).hasValue(1);
    Reference.reachabilityFence(block);
  }

  private static HookHandle counting(Block block, AtomicInteger calls) {
    return Hooks.registerForwardHook(
        block,
        (Block m, String p, NDList in, NDList out) -> {
          calls.incrementAndGet();
          return null;
        });
  }

  @Test
  void collected_module_should_leave_woven_code_as_it_was_before_its_hook() {
    assertThat(register().handle).isNotNull();
    assertThat(Dispatch.active).isTrue();
    awaitInactive();
  }

  private static void awaitInactive() {
    Block other = identity();
    Awaitility.await()
        .until(
            () -> {
              System.gc();
              forward(other);
              return !Dispatch.active;
            });
  }

  @Test
  void collected_module_should_not_end_the_hooks_of_others() {
    Block other = identity();
    AtomicInteger calls = new AtomicInteger();
    try (HookHandle handle = counting(other, calls)) {
      awaitCollected(register().module);
      forward(other);
      assertThat(Dispatch.active).isTrue();
      assertThat(calls).hasValue(1);
    }
    awaitInactive();
  }

  private static void awaitCollected(WeakReference<?> reference) {
    Awaitility.await()
        .until(
            () -> {
              System.gc();
              return reference.refersTo(null);
            });
  }

  private static Block identity() {
    return new LambdaBlock(list -> list, "identity");
  }

  private static void forward(Block block) {
    block.forward(new ParameterStore(), new NDList(), false);
  }
}
