package io.camhook.agent.weave;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Model;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Block;
import ai.djl.nn.core.Linear;
import ai.djl.training.ParameterStore;
import io.camhook.HookHandle;
import io.camhook.HookOptions;
import io.camhook.Hooks;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The ways to say which modules a hook is for. */
class HookRegistrationTest {
  @RegisterExtension static final HookedGraphs GRAPHS = new HookedGraphs();

  @Test
  void path_should_mean_one_module() {
    assertThat(pathsSeen("03Linear")).containsExactly("03Linear");
  }

  @Test
  void index_and_bare_name_should_be_spellings_of_a_path() {
    assertThat(pathsSeen("4")).containsExactly("05Linear");
    assertThat(pathsSeen(".")).containsExactly(".");
  }

  @Test
  void glob_should_mean_every_module_that_it_matches() {
    assertThat(pathsSeen("*Linear")).containsExactly("01Linear", "03Linear", "05Linear");
    assertThat(pathsSeen("**")).hasSize(6);
  }

  private static List<String> pathsSeen(String layers) {
    List<String> paths = new ArrayList<>();
    try (Model model = Nets.mlp("net")) {
      try (HookHandle handle =
          Hooks.registerForwardHook(
              model,
              layers,
              (Block m, String p, NDList in, NDList out) -> {
                paths.add(p);
                return null;
              })) {
        forward(model);
      }
      List<String> seen = List.copyOf(paths);
      forward(model); // the handle has removed all of them
      assertThat(paths).isEqualTo(seen);
      return seen;
    }
  }

  @Test
  void predicate_should_choose_the_modules_of_a_global_hook_by_their_class() {
    List<String> paths = new ArrayList<>();
    try (Model model = Nets.mlp("net");
        HookHandle forward =
            Hooks.registerForwardHookForAllModules(
                type -> type == Linear.class,
                (Block m, String p, NDList in, NDList out) -> {
                  paths.add("after " + p);
                  return null;
                },
                HookOptions.DEFAULT);
        HookHandle pre =
            Hooks.registerForwardPreHookForAllModules(
                type -> type.getSimpleName().startsWith("Sequential"),
                (Block m, String p, NDList in) -> {
                  paths.add("before " + p);
                  return null;
                })) {
      forward(model);
    }
    assertThat(paths)
        .containsExactly("before .", "after 01Linear", "after 03Linear", "after 05Linear");
  }

  @Test
  void glob_that_matches_nothing_should_be_refused_with_the_closest_paths() {
    try (Model model = Nets.mlp("net")) {
      assertThatThrownBy(
              () ->
                  Hooks.registerFullBackwardHook(
                      model, "*Conv2d", (Block m, String p, NDList in, NDList out) -> null))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("'*Conv2d' matches none of the 6 modules of SequentialBlock");
    }
  }

  private static void forward(Model model) {
    try (NDManager manager = NDManager.newBaseManager("PyTorch")) {
      model
          .getBlock()
          .forward(
              new ParameterStore(manager, false), new NDList(Nets.input(manager, 1, 64)), false);
    }
  }
}
