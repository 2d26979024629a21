package app;

import java.lang.instrument.ClassFileTransformer;
import java.lang.instrument.Instrumentation;
import java.lang.management.ManagementFactory;
import java.security.MessageDigest;
import java.security.ProtectionDomain;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentSkipListMap;

/**
 * An agent for tests. Given the beginning of a name, it stores as system properties: a digest of
 * the current bytecode of each class with such a name, the number of these classes, the running
 * threads, the heap in use after a collection, and the number of loaded classes.
 */
public final class Bytecode {
  private Bytecode() {}

  public static void agentmain(String prefix, Instrumentation instrumentation) throws Exception {
    for (int i = 0; i < 5; i++) {
      System.gc();
    }
    Map<String, String> digests = new ConcurrentSkipListMap<>();
    ClassFileTransformer reader =
        new ClassFileTransformer() {
          @Override
          public byte[] transform(
              ClassLoader loader,
              String name,
              Class<?> type,
              ProtectionDomain domain,
              byte[] classFile) {
            if (name != null && name.replace('/', '.').startsWith(prefix)) {
              digests.put(name, digest(classFile));
            }
            return null;
          }
        };
    instrumentation.addTransformer(reader, true);
    Map<String, Integer> counts = new TreeMap<>();
    try {
      for (Class<?> type : instrumentation.getAllLoadedClasses()) {
        if (type.getName().startsWith(prefix)) {
          counts.merge(type.getName(), 1, Integer::sum);
          if (instrumentation.isModifiableClass(type)) {
            instrumentation.retransformClasses(type);
          }
        }
      }
    } finally {
      instrumentation.removeTransformer(reader);
    }
    System.setProperty("app.bytecode", "" + digests);
    System.setProperty("app.classes", "" + counts);
    System.setProperty(
        "app.heap", "" + ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed());
    System.setProperty(
        "app.loaded", "" + ManagementFactory.getClassLoadingMXBean().getLoadedClassCount());
    System.setProperty(
        "app.threads",
        "" + Thread.getAllStackTraces().keySet().stream().map(Thread::getName).sorted().toList());
  }

  private static String digest(byte[] classFile) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(classFile));
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }
}
