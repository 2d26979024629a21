/** Explains models that can be run: inputs, passes on request, methods that run the model again. */
@NullMarked
package io.camhook.explain;

import org.jspecify.annotations.NullMarked;
