package io.camhook.junit;

import io.camhook.Hooks;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Attaches the camhook agent to the JVM that runs the tests of a class, so that they can register
 * hooks: {@code @ExtendWith(HookedModels.class)}. The agent jar must be on the test's class path.
 * By default nothing is captured, and hooks can look into every TorchScript model loaded from then
 * on; the system property {@code camhook.config} names a configuration of your own instead. The
 * agent stays for the rest of the JVM's life, so a test must close its {@link
 * io.camhook.HookHandle}s.
 *
 * <p>Load models in the tests or in {@code @BeforeAll}, not in static initializers: those run
 * before the agent is attached.
 */
public final class HookedModels implements BeforeAllCallback {
  private static final String CONFIG = "camhook.config";
  private static final String SELF_ATTACH = "camhook.selfAttach";

  /** The agent handles every model but captures none. */
  private static final String HOOKS_ONLY =
      """
      version: 1
      models:
        - name: "*"
      sampling: { rate: 0 }
      """;

  /**
   * Attaches the agent.
   *
   * @throws IllegalStateException if it cannot be attached; the message says what to do
   */
  @Override
  public void beforeAll(ExtensionContext context) {
    if (System.getProperty(SELF_ATTACH) == null) {
      System.setProperty(SELF_ATTACH, "true");
    }
    if (System.getProperty(CONFIG) == null) {
      System.setProperty(CONFIG, hooksOnly().toString());
    }
    Hooks.requireAgent();
  }

  private static Path hooksOnly() {
    try {
      Path file = Files.createTempFile("camhook", ".yaml");
      file.toFile().deleteOnExit();
      return Files.writeString(file, HOOKS_ONLY);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
