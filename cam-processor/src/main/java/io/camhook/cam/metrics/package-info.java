/** Quality metrics for heatmaps: faithfulness to the model, and agreement with a known object. */
@NullMarked
package io.camhook.cam.metrics;

import org.jspecify.annotations.NullMarked;
