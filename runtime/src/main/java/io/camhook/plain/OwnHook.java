package io.camhook.plain;

import io.camhook.dispatch.HookArguments;
import io.camhook.dispatch.HookEntry;
import io.camhook.dispatch.HookKind;
import io.camhook.dispatch.HookMoment;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One of the application's hooks, of any kind, on a plain network. The module is the application's
 * object, and a value is a single tensor of the application's type, not a list; call parameters are
 * null because plain networks have none.
 */
final class OwnHook implements PlainHook {
  private final List<HookEntry> entries;

  /** A hook as each kind that it is. */
  OwnHook(Object hook) {
    this.entries = HookKind.of(hook).stream().map(kind -> new HookEntry(kind, hook)).toList();
  }

  /** A hook as the kind that it was registered as. */
  OwnHook(HookEntry entry) {
    this.entries = List.of(entry);
  }

  @Override
  public boolean alwaysCall() {
    return entries.stream().anyMatch(HookEntry::alwaysCall);
  }

  @Override
  public @Nullable Object beforeForward(PlainModule module, @Nullable Object input) {
    HookEntry entry = at(HookMoment.BEFORE_FORWARD);
    return entry == null || input == null
        ? null
        : entry.call(HookArguments.forward(module.module(), module.path(), input, null, null));
  }

  @Override
  public @Nullable Object afterForward(
      PlainModule module, @Nullable Object input, @Nullable Object output) {
    HookEntry entry = at(HookMoment.AFTER_FORWARD);
    return entry == null || input == null || (output == null && !entry.alwaysCall())
        ? null
        : entry.call(HookArguments.forward(module.module(), module.path(), input, null, output));
  }

  @Override
  public @Nullable Object beforeBackward(PlainModule module, @Nullable Object gradOutput) {
    HookEntry entry = at(HookMoment.BEFORE_BACKWARD);
    return entry == null || gradOutput == null
        ? null
        : entry.call(HookArguments.backward(module.module(), module.path(), null, gradOutput));
  }

  @Override
  public @Nullable Object afterBackward(
      PlainModule module, @Nullable Object gradInput, @Nullable Object gradOutput) {
    HookEntry entry = at(HookMoment.AFTER_BACKWARD);
    return entry == null || gradOutput == null
        ? null
        : entry.call(HookArguments.backward(module.module(), module.path(), gradInput, gradOutput));
  }

  private @Nullable HookEntry at(HookMoment moment) {
    for (HookEntry entry : entries) {
      if (entry.kind().moment() == moment) {
        return entry;
      }
    }
    return null;
  }
}
