/** Grad mode, gradients with respect to any tensor, and conversion between arrays and tensors. */
@NullMarked
package io.camhook.djl.autograd;

import org.jspecify.annotations.NullMarked;
