/** One pass: run the model, record layers, differentiate targets. */
@NullMarked
package io.camhook.djl.pass;

import org.jspecify.annotations.NullMarked;
