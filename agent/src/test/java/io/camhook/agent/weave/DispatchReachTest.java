package io.camhook.agent.weave;

import static org.assertj.core.api.Assertions.assertThat;

import app.reach.Triple;
import io.camhook.dispatch.Dispatch;
import java.util.Map;
import net.bytebuddy.dynamic.ClassFileLocator;
import net.bytebuddy.dynamic.loading.ByteArrayClassLoader;
import org.junit.jupiter.api.Test;

/** A network whose class loader does not see the agent runs unchanged, and one line says why. */
class DispatchReachTest {
  private static final String YAML = "models: [{ name: n, class: app.reach.Triple, capture: [] }]";

  @Test
  void class_whose_loader_does_not_see_the_agent_should_be_left_as_it_is() throws Exception {
    try (WovenPlain woven = new WovenPlain(YAML)) {
      ClassLoader blind = loader(ClassLoader.getPlatformClassLoader());

      assertThat(scaled(blind)).containsExactly(6);
      assertThat(scaled(loader(ClassLoader.getPlatformClassLoader()))).containsExactly(6);
      assertThat(woven.messages)
          .filteredOn(message -> message.contains("does not see the agent's classes"))
          .hasSize(1)
          .first()
          .asString()
          .startsWith("app.reach.Triple, and other classes of its class loader ")
          .contains("; give the agent bootstrap=true");
    }
  }

  @Test
  void class_whose_loader_has_another_copy_of_camhook_should_be_left_as_it_is() throws Exception {
    try (WovenPlain woven = new WovenPlain(YAML)) {
      ClassLoader other = loader(getClass().getClassLoader(), Dispatch.class);

      assertThat(scaled(other)).containsExactly(6);
      assertThat(woven.messages).anyMatch(message -> message.contains("has another copy"));
    }
  }

  @Test
  void class_whose_loader_sees_the_agent_should_be_woven() throws Exception {
    try (WovenPlain woven = new WovenPlain(YAML)) {
      var seen = woven.watch();

      assertThat(scaled(loader(getClass().getClassLoader()))).containsExactly(6);
      assertThat(seen).hasSize(2);
    }
  }

  /** 2 · 3 by a network that the loader defines itself. */
  private static float[] scaled(ClassLoader loader) throws Exception {
    Class<?> type = loader.loadClass(Triple.class.getName());
    assertThat(type).isNotSameAs(Triple.class);
    return (float[])
        type.getMethod("forward", float[].class)
            .invoke(type.getConstructor().newInstance(), new float[] {2});
  }

  private static ClassLoader loader(ClassLoader parent, Class<?>... more) {
    var classFiles = new java.util.HashMap<String, byte[]>();
    classFiles.put(Triple.class.getName(), ClassFileLocator.ForClassLoader.read(Triple.class));
    for (Class<?> type : more) {
      classFiles.put(type.getName(), ClassFileLocator.ForClassLoader.read(type));
    }
    return new ByteArrayClassLoader.ChildFirst(
        parent, Map.copyOf(classFiles), ByteArrayClassLoader.PersistenceHandler.MANIFEST);
  }
}
