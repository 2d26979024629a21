package io.camhook.agent.weave;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Block;
import ai.djl.pytorch.jni.JniUtils;
import ai.djl.training.ParameterStore;
import io.camhook.HookHandle;
import io.camhook.dispatch.Dispatch;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * DJL woven for the tests of a class, without captures. Each test makes graphs in a manager of its
 * own, with hooks that are removed after it; camhook must not have failed in it.
 */
final class HookedGraphs
    implements BeforeAllCallback, BeforeEachCallback, AfterEachCallback, AfterAllCallback {
  private final List<HookHandle> handles = new ArrayList<>();
  private @Nullable WovenDjl djl;
  private @Nullable NDManager manager;
  private boolean gradMode;

  /** The manager of the test that runs, or of whose class an instance is being made. */
  NDManager manager() {
    if (manager == null) {
      manager = NDManager.newBaseManager("PyTorch");
    }
    return manager;
  }

  /** Hooks to remove after the test. */
  List<HookHandle> handles() {
    return handles;
  }

  /** A leaf {@code [1, -1]}. */
  NDArray x() {
    NDArray x = manager().create(new float[] {1, -1});
    x.setRequiresGradient(true);
    return x;
  }

  /** The block's first output in training. */
  NDArray forward(Block block, NDArray x) {
    return block.forward(new ParameterStore(manager(), false), new NDList(x), true).head();
  }

  @Override
  public void beforeAll(ExtensionContext context) {
    djl = new WovenDjl(WovenDjl.config(0, false));
  }

  @Override
  public void beforeEach(ExtensionContext context) {
    gradMode = JniUtils.isGradMode();
    JniUtils.setGradMode(true);
  }

  @Override
  public void afterEach(ExtensionContext context) {
    handles.forEach(HookHandle::remove);
    handles.clear();
    JniUtils.setGradMode(gradMode);
    if (manager != null) {
      manager.close();
      manager = null;
    }
    assertThat(djl.failures).isEmpty();
  }

  @Override
  public void afterAll(ExtensionContext context) {
    assertThat(Dispatch.active).isFalse();
    djl.close();
    assertThat(Dispatch.gradients).isFalse();
  }
}
