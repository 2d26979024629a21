package io.camhook.capture;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MemoryTest {
  /** As in the sources of PyTorch and onnxruntime. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "[enforce fail at alloc_cpu.cpp:118] err == 0. DefaultCPUAllocator: can't allocate memory:"
            + " you tried to allocate 4000000000000 bytes. Error code 12",
        "Error code - ORT_RUNTIME_EXCEPTION - message: bfc_arena.cc:376 Failed to allocate memory"
            + " for requested buffer of size 4000000000000",
        "Error code - ORT_FAIL - message: std::bad_alloc"
      })
  void message_of_an_engine_should_tell_that_memory_ran_out(String message) {
    assertThat(Memory.ranOut(new IllegalStateException("pass", new IOException(message)))).isTrue();
  }

  @Test
  void other_failures_should_not() {
    assertThat(Memory.ranOut(new OutOfMemoryError("Java heap space"))).isTrue();
    assertThat(Memory.ranOut(new IOException("No space left on device"))).isFalse();
    assertThat(Memory.ranOut(null)).isFalse();
  }
}
