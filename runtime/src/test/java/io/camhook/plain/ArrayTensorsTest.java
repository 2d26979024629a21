package io.camhook.plain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.camhook.recording.Tensor;
import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import org.junit.jupiter.api.Test;

class ArrayTensorsTest {
  @Test
  void nested_arrays_should_have_their_own_shape() {
    Tensor tensor = ArrayTensors.read(new double[][][] {{{1, 2}}, {{3, 4}}, {{5, 6}}}, null);
    assertThat(tensor).hasToString("F64[3, 1, 2]");
    assertThat(tensor.toFloats()).containsExactly(1, 2, 3, 4, 5, 6);
    assertThat(ArrayTensors.read(new float[][] {{1}, {2}}, new long[] {9}))
        .as("what the configuration says is for flat ones")
        .hasToString("F32[2, 1]");
  }

  @Test
  void buffers_should_be_read_from_position_to_limit_and_stay_where_they_are() {
    FloatBuffer floats = FloatBuffer.wrap(new float[] {9, 1, 2, 9}).position(1).limit(3);
    assertThat(ArrayTensors.read(floats, null).toFloats()).containsExactly(1, 2);
    assertThat(floats.position()).isEqualTo(1);
    DoubleBuffer doubles = DoubleBuffer.wrap(new double[] {3, 4}).asReadOnlyBuffer();
    assertThat(ArrayTensors.read(doubles, new long[] {2, 1})).hasToString("F64[2, 1]");
  }

  @Test
  void ragged_arrays_and_wrong_sizes_should_be_refused() {
    assertThatThrownBy(() -> ArrayTensors.read(new float[][] {{1, 2}, {3}}, null))
        .hasMessage("array is ragged: rows of 2 and 1 elements at depth 1");
    assertThatThrownBy(() -> ArrayTensors.read(new float[][] {{1}, null}, null))
        .hasMessage("array has a null row at depth 0");
    assertThatThrownBy(() -> ArrayTensors.read(new float[3], new long[] {2, 2}))
        .hasMessage("shape [2, 2] has 4 elements, the array has 3");
  }

  @Test
  void only_arrays_and_buffers_of_floating_numbers_should_be_tensors() {
    assertThat(ArrayTensors.isArray(new float[0][0])).isTrue();
    assertThat(ArrayTensors.isArray(DoubleBuffer.allocate(1))).isTrue();
    assertThat(ArrayTensors.isArray(new int[1])).isFalse();
    assertThat(ArrayTensors.isArray("text")).isFalse();
    assertThat(ArrayTensors.isArray(null)).isFalse();
  }

  @Test
  void value_of_the_same_kind_should_share_nothing() {
    float[][] one = {{1}, {2}};
    Object other = ArrayTensors.like(one, new float[] {3, 4});
    assertThat((float[][]) other).isDeepEqualTo(new float[][] {{3}, {4}});
    assertThat(one).isDeepEqualTo(new float[][] {{1}, {2}});
    assertThat(ArrayTensors.like(new double[2], new float[] {3, 4})).isEqualTo(new double[] {3, 4});
    assertThat(((FloatBuffer) ArrayTensors.like(FloatBuffer.allocate(1), new float[] {5})).get(0))
        .isEqualTo(5);
  }

  @Test
  void overwriting_should_keep_the_array_and_refuse_another_kind_or_size() {
    float[][] target = {{1}, {2}};
    ArrayTensors.overwrite(target, new float[][] {{3}, {4}});
    assertThat(target).isDeepEqualTo(new float[][] {{3}, {4}});
    FloatBuffer buffer = FloatBuffer.wrap(new float[] {9, 1}).position(1);
    ArrayTensors.overwrite(buffer, FloatBuffer.wrap(new float[] {7}));
    assertThat(buffer.array()).containsExactly(9, 7);
    assertThatThrownBy(() -> ArrayTensors.overwrite(new float[2], new double[2]))
        .hasMessage("a hook replaced float[] by double[]; expected the same kind and size");
    assertThatThrownBy(() -> ArrayTensors.overwrite(new float[2], new float[3]))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
