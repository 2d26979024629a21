package io.camhook.djl;

import ai.djl.Model;
import ai.djl.nn.Block;
import io.camhook.capture.Sampler;
import io.camhook.config.CamhookConfig;
import io.camhook.dispatch.BlockCall;
import io.camhook.dispatch.Request;
import io.camhook.spi.AdapterContext;
import io.camhook.spi.EngineAdapter;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The adapter to one DJL. Made by the agent in a loader below the application's DJL; thread-safe.
 */
public final class DjlAdapter implements EngineAdapter {
  private final Owners owners;
  private volatile @Nullable Started started;

  /** What {@link #start} sets up. */
  private record Started(
      AdapterContext context, Models models, Sampler sampler, Failures failures) {}

  /**
   * Makes an adapter that does nothing yet.
   *
   * @throws NoSuchFieldException if this DJL is not of the kind the adapter was written for
   */
  public DjlAdapter() throws NoSuchFieldException {
    owners = new Owners();
  }

  @Override
  public void start(AdapterContext context) {
    CamhookConfig config = context.config();
    started =
        new Started(
            context,
            new Models(config, context.log()),
            new Sampler(config.sampling()),
            new Failures(context.log()));
  }

  @Override
  public void close() {
    started = null;
  }

  @Override
  public void opened(Object owner) {
    Started now = started;
    if (now == null) {
      return;
    }
    try {
      Model model = owners.modelOf(owner);
      ModelPlan plan = now.models().planOf(model);
      if (plan != null && now.context().config().dryRun()) {
        now.context()
            .log()
            .info("dry run: model %s would be hooked at %s".formatted(plan.label(), plan.layers()));
      }
    } catch (Throwable e) {
      now.failures().add("a model could not be matched with the configuration", e);
    }
  }

  @Override
  public @Nullable Request request(Object owner, @Nullable List<?> inputs) {
    Started now = started;
    if (now == null || !now.sampler().drawn() || now.context().config().dryRun()) {
      return null;
    }
    ThreadWork work = ThreadWork.current();
    if (work != null && work.request != null) {
      return null; // inside another request: its capture is under way
    }
    try {
      Model model = owners.modelOf(owner);
      ModelPlan plan = now.models().planOf(model);
      if (plan == null || !plan.capturesAnything() || !now.sampler().admitted()) {
        return null;
      }
      SampledRequest request =
          new SampledRequest(
              plan,
              model.getBlock(),
              inputs,
              now.context().config().limits().exact(),
              now.context().recorder(),
              now.failures(),
              now.context().log());
      ThreadWork.begin().request = request;
      return request;
    } catch (Throwable e) {
      now.failures().add("a request could not be captured", e);
      return null;
    }
  }

  @Override
  public @Nullable BlockCall enter(Object block, Object[] arguments) {
    ThreadWork work = ThreadWork.current();
    if (work == null || work.request == null) {
      return null;
    }
    return work.request.enter((Block) block, arguments);
  }

  @Override
  public boolean backward(Object target, Object gradient, boolean keepGraph, boolean createGraph) {
    return false;
  }

  /** Failures of camhook itself so far. */
  public long failures() {
    Started now = started;
    return now == null ? 0 : now.failures().count();
  }
}
