/**
 * The onnxruntime adapter: camhook's own sessions run beside the application's, which are never
 * touched. Start reading at {@link io.camhook.ort.OrtModel}.
 */
@NullMarked
package io.camhook.ort;

import org.jspecify.annotations.NullMarked;
