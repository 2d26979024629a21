package io.camhook.samples.pictures;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class PictureGeneratorTest {
  private final PictureGenerator generator = new PictureGenerator(7);

  @Test
  void picture_should_depend_on_seed_and_index_alone() {
    generator.picture(0);
    DrawnPicture picture = generator.picture(3);

    assertThat(new PictureGenerator(7).picture(3).rgb()).isEqualTo(picture.rgb());
    assertThat(new PictureGenerator(8).picture(3).rgb()).isNotEqualTo(picture.rgb());
    assertThat(generator.picture(4).rgb()).isNotEqualTo(picture.rgb());
  }

  /** Pins the pixels: the committed weights were trained on them, on any JDK. */
  @Test
  void picture_should_be_the_one_that_the_weights_were_trained_on() {
    assertThat(new PictureGenerator(20).picture(0).sha256())
        .isEqualTo("e0fa8a5b1a357d5830a1f03eba5fb9ac5b144a213b5e4dcaee77dc4891f7a9d1");
  }

  @Test
  void every_class_should_turn_up_about_equally_often() {
    int pictures = 700;
    int[] counts = new int[ShapeClass.values().length];
    for (int i = 0; i < pictures; i++) {
      counts[generator.picture(i).objects().get(0).shape().ordinal()]++;
    }
    // expected 100 each, standard deviation √(700 · 1/7 · 6/7) ≈ 9.3: four of them either way
    assertThat(IntStream.of(counts)).allMatch(count -> count > 62 && count < 138);
  }

  @Test
  void pair_should_show_two_classes_that_do_not_overlap() {
    for (int i = 0; i < 50; i++) {
      List<PictureObject> objects = generator.pair(i).objects();
      assertThat(objects).hasSize(2);
      assertThat(objects.get(0).shape()).isNotEqualTo(objects.get(1).shape());
      Mask a = objects.get(0).mask();
      Mask b = objects.get(1).mask();
      assertThat(IntStream.range(0, a.inside().length))
          .noneMatch(p -> a.inside()[p] && b.inside()[p]);
    }
  }

  @Test
  void mask_should_lie_inside_the_picture_with_the_area_of_the_shape() {
    for (int i = 0; i < 100; i++) {
      Mask mask = generator.picture(i).objects().get(0).mask();
      // The smallest class, the arrow, covers 1.19 of its squared radius, at least 13²;
      // the largest, the disc, 0.81 π of at most 23². Edges are rounded to whole pixels.
      assertThat(mask.area()).isBetween(190, 1360);
      for (int p = 0; p < PictureGenerator.SIZE; p++) {
        assertThat(mask.contains(p, 0)).isFalse();
        assertThat(mask.contains(0, p)).isFalse();
        assertThat(mask.contains(p, PictureGenerator.SIZE - 1)).isFalse();
        assertThat(mask.contains(PictureGenerator.SIZE - 1, p)).isFalse();
      }
    }
  }

  @Test
  void object_should_stand_out_from_its_surroundings() {
    for (int i = 0; i < 100; i++) {
      DrawnPicture picture = generator.picture(i);
      Mask mask = picture.objects().get(0).mask();
      double[] inside = new double[3];
      double[] outside = new double[3];
      for (int p = 0; p < mask.inside().length; p++) {
        for (int c = 0; c < 3; c++) {
          (mask.inside()[p] ? inside : outside)[c] += picture.rgb()[p * 3 + c] & 0xff;
        }
      }
      double distance = 0;
      for (int c = 0; c < 3; c++) {
        double a = inside[c] / mask.area();
        double b = outside[c] / (mask.inside().length - mask.area());
        distance += (a - b) * (a - b);
      }
      // Colours are chosen at least 90 from the neighbourhood; the whole picture may be nearer.
      assertThat(Math.sqrt(distance)).isGreaterThan(45);
    }
  }

  @Test
  void pictures_should_all_differ() {
    Set<String> seen = new HashSet<>();
    for (int i = 0; i < 200; i++) {
      assertThat(seen.add(generator.picture(i).sha256())).isTrue();
    }
  }

  @Test
  void cut_around_the_object_should_keep_all_of_it() {
    for (int i = 0; i < 100; i++) {
      DrawnPicture whole = generator.picture(i);
      DrawnPicture cut = whole.around(48);
      assertThat(cut.rgb()).hasSize(48 * 48 * 3);
      assertThat(cut.objects().get(0).mask().area())
          .isEqualTo(whole.objects().get(0).mask().area());
    }
  }
}
