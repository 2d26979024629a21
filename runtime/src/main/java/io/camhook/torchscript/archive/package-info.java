/** The container: zip entries, the pickled module tree, stored values. */
@NullMarked
package io.camhook.torchscript.archive;

import org.jspecify.annotations.NullMarked;
