package app;

import java.io.File;
import java.net.URL;
import java.net.URLClassLoader;
import java.util.ArrayList;
import java.util.List;

/**
 * Starts a program in a class loader that does not delegate to the system's: {@code Isolated KIND
 * PATHS MAIN}. {@code platform} is a child of the platform's loader. {@code bundle} takes packages
 * of the JDK from there and everything else from itself, as a bundle of OSGi does, and {@code
 * delegating} is a bundle whose framework passes {@code io.camhook} to the bootstrap loader.
 */
public final class Isolated {
  private Isolated() {}

  public static void main(String[] args) throws Exception {
    List<URL> urls = new ArrayList<>();
    for (String path : args[1].split(File.pathSeparator)) {
      urls.add(new File(path).toURI().toURL());
    }
    URL[] all = urls.toArray(new URL[0]);
    ClassLoader loader =
        args[0].equals("platform")
            ? new URLClassLoader(all, ClassLoader.getPlatformClassLoader())
            : new Bundle(all, args[0].equals("delegating"));
    Thread.currentThread().setContextClassLoader(loader);
    loader
        .loadClass(args[2])
        .getMethod("main", String[].class)
        .invoke(null, (Object) new String[0]);
  }

  private static final class Bundle extends URLClassLoader {
    private final boolean delegating;

    Bundle(URL[] urls, boolean delegating) {
      super(urls, null);
      this.delegating = delegating;
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
      synchronized (getClassLoadingLock(name)) {
        if (name.matches("(java|javax|jdk|sun|com\\.sun|org\\.w3c|org\\.xml)\\..*")) {
          return ClassLoader.getPlatformClassLoader().loadClass(name);
        }
        if (name.startsWith("io.camhook.")) {
          if (delegating) {
            return Class.forName(name, false, null);
          }
          throw new ClassNotFoundException(name);
        }
        Class<?> known = findLoadedClass(name);
        return known == null ? findClass(name) : known;
      }
    }
  }
}
