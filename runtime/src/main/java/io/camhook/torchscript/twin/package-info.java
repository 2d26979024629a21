/** What is written beside {@code forward}: methods that record, differentiate, resume and hook. */
@NullMarked
package io.camhook.torchscript.twin;

import org.jspecify.annotations.NullMarked;
