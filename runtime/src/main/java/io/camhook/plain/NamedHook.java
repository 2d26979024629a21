package io.camhook.plain;

import io.camhook.builtin.UserHook;
import io.camhook.config.CamhookConfig;
import io.camhook.dispatch.EventLog;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A hook that the configuration names by class. It is loaded when the first of its modules runs,
 * through that module's class loader. If loading fails, this is reported once and the hook does
 * nothing.
 */
final class NamedHook implements PlainHook {
  private static final PlainHook NOTHING = new PlainHook() {};

  private final String model;
  private final CamhookConfig.Hook entry;
  private final EventLog log;
  private volatile @Nullable PlainHook loaded;

  NamedHook(String model, CamhookConfig.Hook entry, EventLog log) {
    this.model = model;
    this.entry = entry;
    this.log = log;
  }

  private PlainHook hook(PlainModule module) {
    PlainHook known = loaded;
    return known == null ? load(module) : known;
  }

  private synchronized PlainHook load(PlainModule module) {
    PlainHook known = loaded;
    if (known == null) {
      known = make(module);
      loaded = known;
    }
    return known;
  }

  private PlainHook make(PlainModule module) {
    List<ClassLoader> loaders =
        Stream.of(
                module.module().getClass().getClassLoader(),
                Thread.currentThread().getContextClassLoader())
            .filter(loader -> loader != null)
            .distinct()
            .toList();
    try {
      return new OwnHook(UserHook.load(entry.hook(), entry.options(), loaders));
    } catch (UserHook.UnusableException e) {
      log.warn("model %s: %s; the model runs without it".formatted(model, e.getMessage()));
      return NOTHING;
    }
  }

  @Override
  public @Nullable Object beforeForward(PlainModule module, @Nullable Object input) {
    return hook(module).beforeForward(module, input);
  }

  @Override
  public @Nullable Object afterForward(
      PlainModule module, @Nullable Object input, @Nullable Object output) {
    return hook(module).afterForward(module, input, output);
  }

  @Override
  public @Nullable Object beforeBackward(PlainModule module, @Nullable Object gradOutput) {
    return hook(module).beforeBackward(module, gradOutput);
  }

  @Override
  public @Nullable Object afterBackward(
      PlainModule module, @Nullable Object gradInput, @Nullable Object gradOutput) {
    return hook(module).afterBackward(module, gradInput, gradOutput);
  }
}
