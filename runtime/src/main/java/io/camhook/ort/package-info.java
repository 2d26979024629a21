/**
 * onnxruntime's engine: sessions of camhook's own beside those of the application, which are never
 * touched. {@link io.camhook.ort.OrtModel} is where to begin.
 */
@NullMarked
package io.camhook.ort;

import org.jspecify.annotations.NullMarked;
