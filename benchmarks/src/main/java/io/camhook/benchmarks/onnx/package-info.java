/** Networks as {@code .onnx} files with generated weights, for measurements. */
@NullMarked
package io.camhook.benchmarks.onnx;

import org.jspecify.annotations.NullMarked;
