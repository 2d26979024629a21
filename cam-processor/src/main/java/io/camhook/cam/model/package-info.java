/** Methods that run the model again, on changed inputs, activations or gradients. */
@NullMarked
package io.camhook.cam.model;

import org.jspecify.annotations.NullMarked;
