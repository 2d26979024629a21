package io.camhook.agent;

import io.camhook.capture.SinkFactory;
import io.camhook.engine.EngineAdapter;
import java.io.ByteArrayInputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.util.HashMap;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import org.jspecify.annotations.Nullable;

/**
 * Creates engine adapters in class loaders that see their engine, and sinks in class loaders that
 * see their library. An adapter links to the engine's classes, so it is defined by a loader below
 * the application's, from a jar nested in the agent's, where no other loader finds it. All other
 * classes of camhook come from the agent, even if the application contains a copy, because woven
 * code and adapters must share them.
 */
final class AdapterLoader {
  private static final String FOLDER = "/META-INF/camhook/";

  private static final String KAFKA_JAR = "/META-INF/camhook/kafka.jar";
  private static final String KAFKA_SINKS = "io.camhook.kafka.KafkaSinks";

  private AdapterLoader() {}

  /**
   * Makes adapters from a nested jar.
   *
   * @param adapter name of its class, which has a public constructor without arguments
   */
  static KnownEngine.Maker nested(String jar, String adapter) {
    return application -> {
      ClassLoader loader = new NestedJarLoader(read(FOLDER + jar), application);
      return (EngineAdapter) loader.loadClass(adapter).getConstructor().newInstance();
    };
  }

  /** Makes the sink for Kafka, whose library the loader {@code kafka} sees. */
  static SinkFactory kafka(ClassLoader kafka) throws IOException, ReflectiveOperationException {
    ClassLoader loader = new NestedJarLoader(read(KAFKA_JAR), kafka);
    return (SinkFactory) loader.loadClass(KAFKA_SINKS).getConstructor().newInstance();
  }

  private static Map<String, byte[]> read(String resource) throws IOException {
    Map<String, byte[]> entries = new HashMap<>();
    try (InputStream in = AdapterLoader.class.getResourceAsStream(resource)) {
      if (in == null) {
        throw new FileNotFoundException("the agent jar has no " + resource);
      }
      ZipInputStream jar = new ZipInputStream(in);
      for (ZipEntry entry = jar.getNextEntry(); entry != null; entry = jar.getNextEntry()) {
        entries.put(entry.getName(), jar.readAllBytes());
      }
    }
    return entries;
  }

  private static final class NestedJarLoader extends ClassLoader {
    static {
      registerAsParallelCapable();
    }

    private static final String CAMHOOK = "io.camhook.";

    private final Map<String, byte[]> entries;
    private final @Nullable ClassLoader agent; // null is the bootstrap loader

    NestedJarLoader(Map<String, byte[]> entries, ClassLoader application) {
      super("camhook-adapter", application);
      this.entries = entries;
      this.agent = AdapterLoader.class.getClassLoader();
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
      byte[] classFile = name.startsWith(CAMHOOK) ? entries.get(entry(name)) : null;
      if (classFile != null) {
        synchronized (getClassLoadingLock(name)) {
          Class<?> known = findLoadedClass(name);
          return known == null ? defineClass(name, classFile, 0, classFile.length) : known;
        }
      }
      if (name.startsWith(CAMHOOK)) {
        try {
          return Class.forName(name, false, agent);
        } catch (ClassNotFoundException e) {
          // the application's class in a package of the same name
        }
      }
      return super.loadClass(name, resolve);
    }

    @Override
    public @Nullable InputStream getResourceAsStream(String name) {
      byte[] bytes = entries.get(name);
      return bytes == null ? super.getResourceAsStream(name) : new ByteArrayInputStream(bytes);
    }

    private static String entry(String className) {
      return className.replace('.', '/') + ".class";
    }
  }
}
