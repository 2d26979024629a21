/**
 * Explains models where they run: inputs, passes asked for one by one, methods that run the model
 * again.
 */
@NullMarked
package io.camhook.explain;

import org.jspecify.annotations.NullMarked;
