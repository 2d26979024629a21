package io.camhook.ort;

import ai.onnxruntime.OrtSession;
import io.camhook.dispatch.BlockCall;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/** The application makes a session. */
final class SessionCreation implements BlockCall {
  private final ModelSource source;
  private final BiConsumer<OrtSession, ModelSource> made;

  /**
   * @param made takes the session; throws nothing
   */
  SessionCreation(ModelSource source, BiConsumer<OrtSession, ModelSource> made) {
    this.source = source;
    this.made = made;
  }

  @Override
  public @Nullable Object exit(@Nullable Object result, @Nullable Throwable thrown) {
    if (result instanceof OrtSession session) {
      made.accept(session, source);
    }
    return result;
  }
}
