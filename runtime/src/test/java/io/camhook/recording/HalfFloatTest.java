package io.camhook.recording;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HalfFloatTest {
  @Test
  void every_half_should_come_back() {
    for (int bits = 0; bits < 1 << 16; bits++) {
      float value = HalfFloat.toFloat((short) bits);
      if (!Float.isNaN(value)) {
        assertThat(HalfFloat.of(value) & 0xffff).isEqualTo(bits);
      } else {
        assertThat(HalfFloat.toFloat(HalfFloat.of(value))).isNaN();
      }
    }
  }

  /** IEEE 754, to the nearest, ties to even: halves lie 2^-10 apart from 1 to 2. */
  @ParameterizedTest
  @CsvSource({
    "1.00048828125, 1", // 1 + 2^-11, a tie: the even one is below
    "1.00146484375, 1.001953125", // 1 + 3·2^-11, a tie: the even one is above
    "1.0005, 1.0009765625",
    "65519.99, 65504",
    "65520, Infinity",
    "-1e9, -Infinity",
    "2.98e-8, 0", // just below half of the least, 2^-24
    "2.9802326e-8, 5.9604645e-8", // just above it
    "6.103e-5, 6.1035156e-5", // the least normal is 2^-14
  })
  void value_should_be_rounded_to_the_nearest_half(float value, float half) {
    assertThat(HalfFloat.toFloat(HalfFloat.of(value))).isEqualTo(half);
  }

  /** bfloat16 has 8 bits: from 1 to 2 its values lie 2^-7 apart. */
  @ParameterizedTest
  @CsvSource({
    "1.00390625, 1", // 1 + 2^-8, a tie
    "1.01171875, 1.015625", // 1 + 3·2^-8, a tie
    "3.39e38, 3.3895314e38",
    "3.4e38, Infinity",
    "-0.0, -0.0",
  })
  void value_should_be_rounded_to_the_nearest_brain_float(float value, float expected) {
    float back = Float.intBitsToFloat(HalfFloat.brainOf(value) << 16);
    assertThat(back).isEqualTo(expected);
    assertThat(Float.intBitsToFloat(HalfFloat.brainOf(Float.NaN) << 16)).isNaN();
  }
}
