package io.camhook.explain;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NativeLibraryTest {
  @ParameterizedTest
  @CsvSource({
    "Linux, amd64, linux-x86_64",
    "Linux, aarch64, linux-aarch64",
    "Mac OS X, aarch64, osx-aarch64",
    "Windows 11, amd64, win-x86_64"
  })
  void artifact_should_be_that_of_the_platform(String os, String machine, String platform) {
    assertThat(NativeLibrary.of(os, machine).remedy())
        .isEqualTo(
            "add ai.djl.pytorch:pytorch-native-cpu:2.7.1:" + platform + " to the class path");
  }

  @Test
  void platform_without_artifact_should_be_said() {
    assertThat(NativeLibrary.of("Mac OS X", "x86_64").remedy())
        .isEqualTo(
            "there is none for osx-x86_64, only for linux-x86_64, linux-aarch64, osx-aarch64,"
                + " win-x86_64; name the folder of a libtorch 2.7.1 of your own in"
                + " PYTORCH_LIBRARY_PATH");
  }
}
