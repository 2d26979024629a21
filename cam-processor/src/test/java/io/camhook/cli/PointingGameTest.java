package io.camhook.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.camhook.cam.FloatMap;
import org.junit.jupiter.api.Test;

class PointingGameTest {
  private static final GroundTruth.Mask UPPER_LEFT =
      new GroundTruth.Mask("x", 4, 4, mask(4, (x, y) -> x < 2 && y < 2));

  @Test
  void maximum_inside_the_mask_should_be_a_hit() {
    PointingGame game = new PointingGame();
    assertThat(game.play("a", FloatMap.of(new float[] {1, 0, 0, 0}, 2, 2), UPPER_LEFT)).isTrue();
    assertThat(game.play("a", FloatMap.of(new float[] {0, 0, 0, 1}, 2, 2), UPPER_LEFT)).isFalse();
    assertThat(game.scores().get("a")).isEqualTo(new PointingGame.Score(1, 2));
    assertThat(game.scores().get("a").rate()).isEqualTo(0.5);
  }

  private interface Inside {
    boolean at(int x, int y);
  }

  private static boolean[] mask(int side, Inside inside) {
    boolean[] mask = new boolean[side * side];
    for (int i = 0; i < mask.length; i++) {
      mask[i] = inside.at(i % side, i / side);
    }
    return mask;
  }
}
