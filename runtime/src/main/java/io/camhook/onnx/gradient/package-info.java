/**
 * The backward pass of an ONNX model, written in ONNX operators and appended to a copy of it, so
 * that stock engines compute gradients of inner activations. There is one rule per kind of
 * operator; see {@link io.camhook.onnx.gradient.GradientModel}.
 */
@NullMarked
package io.camhook.onnx.gradient;

import org.jspecify.annotations.NullMarked;
