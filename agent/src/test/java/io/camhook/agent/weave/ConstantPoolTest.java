package io.camhook.agent.weave;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.util.Objects;
import org.junit.jupiter.api.Test;

class ConstantPoolTest {
  private static final long NUMBER = 0x1234567890L;

  @Test
  void pool_should_have_the_names_that_the_class_declares_and_no_others() throws IOException {
    byte[] bytes = bytes(ConstantPoolTest.class);
    assertThat(NUMBER).as("a long, which takes two entries").isPositive();
    assertThat(ConstantPool.has(bytes, "bytes")).isTrue();
    assertThat(ConstantPool.has(bytes, String.join("", "by", "te"))).isFalse();
    assertThat(ConstantPool.hasPrefix(bytes, "(Ljava/lang/Class;)[")).isTrue();
    assertThat(ConstantPool.hasPrefix(bytes, String.join("", "(Ljava/lang/", "Clo"))).isFalse();
  }

  @Test
  void bytes_that_are_no_class_should_be_answered_too() {
    assertThat(ConstantPool.has(new byte[0], "x")).isFalse();
    assertThat(ConstantPool.has(new byte[] {0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 1, 0, 9}, "x")).isFalse();
  }

  private static byte[] bytes(Class<?> type) throws IOException {
    try (InputStream in = type.getResourceAsStream(type.getSimpleName() + ".class")) {
      return Objects.requireNonNull(in).readAllBytes();
    }
  }
}
