package io.camhook.explain;

import java.util.List;
import java.util.Locale;

/**
 * PyTorch's native library for one platform, which DJL publishes as a separate artifact.
 *
 * @param platform as DJL names it: {@code linux-x86_64}
 */
record NativeLibrary(String platform) {
  private static final String VERSION = "2.7.1";
  private static final List<String> PLATFORMS =
      List.of("linux-x86_64", "linux-aarch64", "osx-aarch64", "win-x86_64");

  static NativeLibrary ofThisPlatform() {
    return of(System.getProperty("os.name"), System.getProperty("os.arch"));
  }

  /** From the system properties {@code os.name} and {@code os.arch}. */
  static NativeLibrary of(String system, String machine) {
    String os = system.toLowerCase(Locale.ROOT);
    String name = os.startsWith("win") ? "win" : os.startsWith("mac") ? "osx" : "linux";
    return new NativeLibrary(name + "-" + (machine.equals("amd64") ? "x86_64" : machine));
  }

  /** What to do if it is missing. */
  String remedy() {
    if (!PLATFORMS.contains(platform)) {
      return "there is none for %s, only for %s; name the folder of a libtorch %s of your own in PYTORCH_LIBRARY_PATH"
          .formatted(platform, String.join(", ", PLATFORMS), VERSION);
    }
    return "add ai.djl.pytorch:pytorch-native-cpu:%s:%s to the class path"
        .formatted(VERSION, platform);
  }
}
