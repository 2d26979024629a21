package io.camhook.recording;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;

class TensorTest {
  @Test
  void tensor_should_reject_bytes_that_do_not_fill_its_shape() {
    assertThatThrownBy(() -> new Tensor(DType.F32, new long[] {2, 2}, ByteBuffer.allocate(15)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("needs 16 bytes, found 15");
  }

  @Test
  void half_precision_should_convert_by_ieee_754() {
    // 0x3C00 = 1, 0xC000 = -2, 0x0001 = 2^-24 (smallest subnormal), 0x7C00 = infinity, 0x3555 =
    // 0.333251953125
    ByteBuffer bytes = ByteBuffer.allocate(10).order(ByteOrder.LITTLE_ENDIAN);
    for (int bits : new int[] {0x3C00, 0xC000, 0x0001, 0x7C00, 0x3555}) {
      bytes.putShort((short) bits);
    }
    assertThat(new Tensor(DType.F16, new long[] {5}, bytes.flip()).toFloats())
        .containsExactly(1f, -2f, 0x1p-24f, Float.POSITIVE_INFINITY, 0.333251953125f);
  }
}
