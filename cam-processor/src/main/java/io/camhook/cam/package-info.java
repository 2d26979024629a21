/** CAM methods as pure functions of activations and gradients, targets, aggregation, metrics. */
@NullMarked
package io.camhook.cam;

import org.jspecify.annotations.NullMarked;
