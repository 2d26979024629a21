/** The scalar that is explained: a score of the model's output, with its gradient there. */
@NullMarked
package io.camhook.cam.targets;

import org.jspecify.annotations.NullMarked;
