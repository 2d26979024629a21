package io.camhook.samples.plainjava;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class PlainNetTest {
  /** Not a seed of the training (it uses 78 and 126) nor of its report. */
  private static final long UNSEEN = 4711;

  /** Training reported 90.9 %; of 500 pictures that varies by 1.3 points, three times that here. */
  @Test
  void committed_weights_should_name_the_objects_of_unseen_pictures() throws Exception {
    assertThat(TrainPlain.accuracy(PlainNet.load(), UNSEEN, 500)).isGreaterThanOrEqualTo(0.87);
  }
}
