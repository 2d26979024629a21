package io.camhook.agent.weave;

import io.camhook.dispatch.EventLog;
import java.lang.instrument.ClassFileTransformer;
import java.lang.instrument.Instrumentation;
import java.lang.instrument.UnmodifiableClassException;
import java.security.ProtectionDomain;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * The agent's one class file transformer. It asks each {@link Weaving} about every class and starts
 * Byte Buddy only when a class is to be woven, so that a JVM without a model spends no time or
 * memory on it. A class that cannot be woven is loaded unchanged.
 */
public final class Weaver implements ClassFileTransformer {
  /** Learns which classes are woven; called on the thread that loads the class. */
  public interface Listener {
    void woven(String className, @Nullable ClassLoader loader);
  }

  private final List<Weaving> weavings;
  private final List<String> own = new ArrayList<>(List.of("io/camhook/agent/", "java/"));
  private final EventLog log;
  private final Listener listener;
  private final AtomicLong woven = new AtomicLong();
  private final AtomicLong failed = new AtomicLong();
  private volatile @Nullable ClassFileTransformer engine;

  public Weaver(List<? extends Weaving> weavings, Listener listener, EventLog log) {
    this.weavings = List.copyOf(weavings);
    for (Weaving weaving : weavings) {
      String adapter = weaving.adapter();
      if (adapter != null) {
        own.add(adapter);
      }
    }
    this.listener = listener;
    this.log = log;
  }

  /** Starts weaving classes loaded from now on, and those already loaded. */
  public void install(Instrumentation instrumentation) {
    instrumentation.addTransformer(this, true);
    retransform(instrumentation);
  }

  /** Stops weaving and gives every class its original bytes back. */
  public void remove(Instrumentation instrumentation) {
    instrumentation.removeTransformer(this);
    retransform(instrumentation);
  }

  /** Classes woven so far; a class that is woven again counts again. */
  public long woven() {
    return woven.get();
  }

  /** Classes that could not be woven and run as they are. */
  public long failed() {
    return failed.get();
  }

  @Override
  public byte @Nullable [] transform(
      @Nullable Module module,
      @Nullable ClassLoader loader,
      @Nullable String name,
      @Nullable Class<?> redefined,
      @Nullable ProtectionDomain domain,
      byte[] classFile) {
    if (loader == null || name == null || isOwn(name) || !concerns(name, classFile)) {
      return null;
    }
    try {
      return engine().transform(module, loader, name, redefined, domain, classFile);
    } catch (Throwable e) {
      failed(name.replace('/', '.'), e);
      return null;
    }
  }

  private boolean isOwn(String name) {
    for (String prefix : own) {
      if (name.startsWith(prefix)) {
        return true;
      }
    }
    return false;
  }

  private boolean concerns(String name, byte[] classFile) {
    for (Weaving weaving : weavings) {
      if (weaving.mayConcern(name, classFile)) {
        return true;
      }
    }
    return false;
  }

  private synchronized ClassFileTransformer engine() {
    if (engine == null) {
      engine = ByteBuddyEngine.start(weavings, this::woven, log);
    }
    return engine;
  }

  private void woven(String className, @Nullable ClassLoader loader) {
    woven.incrementAndGet();
    listener.woven(className, loader);
  }

  private void failed(String className, Throwable cause) {
    if (failed.getAndIncrement() == 0) {
      log.failure(className + " could not be instrumented and runs unchanged", cause);
    }
  }

  private void retransform(Instrumentation instrumentation) {
    List<Class<?>> classes = new ArrayList<>();
    for (Class<?> type : instrumentation.getAllLoadedClasses()) {
      if (type.getClassLoader() != null
          && !type.isArray()
          && !type.isHidden()
          && !isOwn(type.getName().replace('.', '/'))
          && instrumentation.isModifiableClass(type)
          && isOfApplication(type)
          && weavings.stream().anyMatch(weaving -> weaving.mayConcern(type))) {
        classes.add(type);
      }
    }
    // All at once: each retransformation stops all threads and visits all classes of the JVM.
    if (refusal(instrumentation, classes.toArray(Class<?>[]::new)) != null) {
      for (Class<?> type : classes) {
        Throwable why = refusal(instrumentation, type);
        if (why != null) {
          failed(type.getName(), why);
        }
      }
    }
  }

  /** Retransforms all of the classes; if that fails, none, and reports why. */
  private static @Nullable Throwable refusal(Instrumentation instrumentation, Class<?>... classes) {
    try {
      instrumentation.retransformClasses(classes);
      return null;
    } catch (UnmodifiableClassException
        | UnsupportedOperationException
        | LinkageError
        | InternalError e) {
      return e;
    }
  }

  /** Classes of the platform and its agents cannot be a model. */
  private static boolean isOfApplication(Class<?> type) {
    return type.getClassLoader() != ClassLoader.getPlatformClassLoader();
  }
}
