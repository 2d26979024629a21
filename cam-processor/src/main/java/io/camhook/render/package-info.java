/** Heatmaps as pictures: resize, colormaps, overlays, PNG. */
@NullMarked
package io.camhook.render;

import org.jspecify.annotations.NullMarked;
