package io.camhook.agent;

/** Which camhook this is. */
final class Version {
  static final String TEXT = text();

  private Version() {}

  private static String text() {
    String version = Version.class.getPackage().getImplementationVersion();
    return version == null ? "camhook" : "camhook " + version;
  }
}
