/** Grad mode, gradients of any tensors, and conversion between arrays and tensors. */
@NullMarked
package io.camhook.djl.autograd;

import org.jspecify.annotations.NullMarked;
