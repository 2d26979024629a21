package io.camhook.cli;

import picocli.CommandLine.IVersionProvider;

/** The version in the jar's manifest. */
final class ManifestVersion implements IVersionProvider {
  ManifestVersion() {}

  static String text() {
    String version = Camhook.class.getPackage().getImplementationVersion();
    return version == null ? "development" : version;
  }

  @Override
  public String[] getVersion() {
    return new String[] {
      "camhook " + text(),
      "Java %s (%s)"
          .formatted(System.getProperty("java.version"), System.getProperty("java.vm.name"))
    };
  }
}
