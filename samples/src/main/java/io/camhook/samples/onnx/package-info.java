/** A program that runs a network as {@code .onnx} with onnxruntime, and nothing else. */
@NullMarked
package io.camhook.samples.onnx;

import org.jspecify.annotations.NullMarked;
