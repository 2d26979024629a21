/** A DJL program as a user would write it: a small CNN that names the object in a picture. */
@NullMarked
package io.camhook.samples.shapes;

import org.jspecify.annotations.NullMarked;
