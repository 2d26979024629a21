package io.camhook.render;

/**
 * A heatmap laid over a picture: {@code o = (1 - w) colours(heat) + w image/255}, then {@code 255 o
 * / max(o)}, truncated. Computed in float32, so the result equals that of pytorch-grad-cam's {@code
 * show_cam_on_image} byte for byte.
 */
public final class Overlay {

  private Overlay() {}

  /** JET, both at half weight: what pytorch-grad-cam draws by default. */
  public static Picture of(Picture image, float[] heat) {
    return of(image, heat, ColourTable.JET, 0.5f);
  }

  /**
   * Blends.
   *
   * @param heat 0..1, row-major, of the picture's size
   * @param imageWeight w: 0 shows the heatmap alone, 1 the picture alone
   */
  public static Picture of(Picture image, float[] heat, ColourTable colours, float imageWeight) {
    Picture.requireSize(
        "heatmap", heat.length, image.width() * image.height(), image.width(), image.height());
    if (!(imageWeight >= 0 && imageWeight <= 1)) {
      throw new IllegalArgumentException(
          "expected a weight of the image in 0..1, found " + imageWeight);
    }
    byte[] rgb = image.rgb();
    float[] blend = new float[rgb.length];
    float largest = 0;
    for (int i = 0; i < blend.length; i++) {
      float heatColour = colours.component(ColourTable.index(heat[i / 3]), i % 3) / 255f;
      float imageColour = (rgb[i] & 0xff) / 255f;
      blend[i] = (1 - imageWeight) * heatColour + imageWeight * imageColour;
      largest = Math.max(largest, blend[i]);
    }
    byte[] out = new byte[blend.length];
    if (largest > 0) {
      for (int i = 0; i < out.length; i++) {
        out[i] = (byte) (int) (255f * (blend[i] / largest));
      }
    }
    return new Picture(image.width(), image.height(), out);
  }
}
