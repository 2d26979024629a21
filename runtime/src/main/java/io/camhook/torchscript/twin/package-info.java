/**
 * The methods that are added beside {@code forward}: they record, differentiate, resume and call
 * hooks.
 */
@NullMarked
package io.camhook.torchscript.twin;

import org.jspecify.annotations.NullMarked;
