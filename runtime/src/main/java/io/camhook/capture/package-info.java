/** The life of a capture: what to capture, sampling, memory budget, hand-over to a sink. */
@NullMarked
package io.camhook.capture;

import org.jspecify.annotations.NullMarked;
