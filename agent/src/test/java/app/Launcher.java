package app;

import java.io.File;
import java.net.URL;
import java.net.URLClassLoader;
import java.util.ArrayList;
import java.util.List;

/**
 * Starts a program from class path entries that only a loader below the system's sees, as a Spring
 * Boot jar does: {@code Launcher PATHS MAIN}.
 */
public final class Launcher {
  private Launcher() {}

  public static void main(String[] args) throws Exception {
    List<URL> urls = new ArrayList<>();
    for (String path : args[0].split(File.pathSeparator)) {
      urls.add(new File(path).toURI().toURL());
    }
    URLClassLoader loader =
        new URLClassLoader(urls.toArray(new URL[0]), Launcher.class.getClassLoader());
    Thread.currentThread().setContextClassLoader(loader);
    loader
        .loadClass(args[1])
        .getMethod("main", String[].class)
        .invoke(null, (Object) new String[0]);
  }
}
