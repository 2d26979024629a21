/** The backward pass with hooks: points in the graph where gradients are seen and replaced. */
@NullMarked
package io.camhook.djl.backward;

import org.jspecify.annotations.NullMarked;
