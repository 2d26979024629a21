package io.camhook.agent;

/** The version of camhook. */
final class Version {
  static final String NUMBER = number();

  private Version() {}

  private static String number() {
    String version = Version.class.getPackage().getImplementationVersion();
    return version == null ? "unknown" : version;
  }
}
