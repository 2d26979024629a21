/** Labelled pictures of geometric shapes with ground truth, drawn from a seed; the JDK alone. */
@NullMarked
package io.camhook.samples.pictures;

import org.jspecify.annotations.NullMarked;
