/** Recordings in the formats of other tools: NumPy, safetensors, TensorBoard. */
@NullMarked
package io.camhook.export;

import org.jspecify.annotations.NullMarked;
