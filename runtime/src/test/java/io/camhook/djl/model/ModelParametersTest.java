package io.camhook.djl.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.core.Linear;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.HexFormat;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ModelParametersTest {
  private final NDManager manager = NDManager.newBaseManager();

  @AfterEach
  void close_the_manager() {
    manager.close();
  }

  @Test
  void hash_should_be_over_names_types_shapes_and_values() throws Exception {
    // Written down from the definition: bias [5, 6], weight [[1, 2], [3, 4]] of one linear block.
    ByteBuffer all = ByteBuffer.allocate(200).order(ByteOrder.LITTLE_ENDIAN);
    all.put("01Linear_bias\0F32\0002\0".getBytes(StandardCharsets.UTF_8)).putFloat(5).putFloat(6);
    all.put("01Linear_weight\0F32\0002x2\0".getBytes(StandardCharsets.UTF_8));
    all.putFloat(1).putFloat(2).putFloat(3).putFloat(4);
    MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
    sha256.update(all.flip());
    assertThat(hash(network())).isEqualTo(HexFormat.of().formatHex(sha256.digest()));
  }

  @Test
  void hash_should_change_with_every_part_of_a_parameter() throws Exception {
    String hash = hash(network());
    assertThat(hash(network())).isEqualTo(hash);
    assertThat(hash(with(manager.create(new float[] {1, 2, 3, 5}, new Shape(2, 2)))))
        .as("a value")
        .isNotEqualTo(hash);
    assertThat(hash(with(manager.create(new float[] {1, 2, 3, 4}, new Shape(4, 1)))))
        .as("the shape")
        .isNotEqualTo(hash);
    // the bits of the floats 1, 2, 3 and 4
    int[] bits = {0x3f800000, 0x40000000, 0x40400000, 0x40800000};
    assertThat(hash(with(manager.create(bits, new Shape(2, 2))))).as("the type").isNotEqualTo(hash);
    assertThat(hash(new SequentialBlock().add(new SequentialBlock().add(network()))))
        .as("the names")
        .isNotEqualTo(hash);
  }

  @Test
  void parameters_that_are_trained_should_be_hashed_as_they_were() throws Exception {
    String hash = hash(network());
    SequentialBlock network = network();
    NDArray weight = network.getParameters().get("01Linear_weight").getArray();
    weight.setRequiresGradient(true);
    try (ModelParameters first = new ModelParameters(network)) {
      try (NDArray step = weight.stopGradient()) {
        step.addi(1); // as an optimizer does
      }
      assertThat(first.sha256(() -> {})).isEqualTo(hash);
    }
    assertThat(hash(network)).isNotEqualTo(hash);
  }

  @Test
  void parameters_should_be_readable_after_the_model_was_closed() throws Exception {
    String hash = hash(network());
    SequentialBlock network = network();
    try (ModelParameters parameters = new ModelParameters(network)) {
      network.getParameters().values().forEach(Parameter::close);
      assertThat(parameters.sha256(() -> {})).isEqualTo(hash);
    }
  }

  @Test
  void parameters_that_change_while_they_are_read_should_have_no_hash() {
    SequentialBlock network = network();
    NDArray weight = network.getParameters().get("01Linear_weight").getArray();
    weight.setRequiresGradient(false);
    try (ModelParameters parameters = new ModelParameters(network)) {
      assertThatThrownBy(() -> parameters.sha256(() -> weight.addi(1)))
          .isInstanceOf(IOException.class)
          .hasMessage("they were changed while they were read");
    }
  }

  @Test
  void application_should_keep_its_arrays() throws Exception {
    SequentialBlock network = network();
    hash(network);
    NDArray weight = network.getParameters().get("01Linear_weight").getArray();
    assertThat(weight.toFloatArray()).containsExactly(1, 2, 3, 4);
    assertThat(weight.getManager()).isSameAs(manager);
    assertThat(weight.hasGradient()).isFalse();
  }

  private static String hash(SequentialBlock network) throws Exception {
    try (ModelParameters parameters = new ModelParameters(network)) {
      return parameters.sha256(() -> {});
    }
  }

  private SequentialBlock network() {
    return with(manager.create(new float[] {1, 2, 3, 4}, new Shape(2, 2)));
  }

  private SequentialBlock with(NDArray weight) {
    SequentialBlock network = new SequentialBlock().add(Linear.builder().setUnits(2).build());
    network.initialize(manager, DataType.FLOAT32, new Shape(1, 2));
    set(network, "01Linear_weight", weight);
    set(network, "01Linear_bias", manager.create(new float[] {5, 6}));
    return network;
  }

  private static void set(SequentialBlock network, String name, NDArray array) {
    Parameter parameter = network.getParameters().get(name);
    parameter.close();
    parameter.setShape(null);
    parameter.setArray(array);
  }
}
