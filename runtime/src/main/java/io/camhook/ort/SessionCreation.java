package io.camhook.ort;

import ai.onnxruntime.OrtSession;
import io.camhook.dispatch.BlockCall;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/** The application's creation of a session. */
final class SessionCreation implements BlockCall {
  private final SessionSource source;
  private final BiConsumer<OrtSession, SessionSource> made;

  /**
   * @param made takes the session; throws nothing
   */
  SessionCreation(SessionSource source, BiConsumer<OrtSession, SessionSource> made) {
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
