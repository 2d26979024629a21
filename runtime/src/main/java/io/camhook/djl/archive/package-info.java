/** Loading of TorchScript archives: the instrumented copy goes in the place of the file. */
@NullMarked
package io.camhook.djl.archive;

import org.jspecify.annotations.NullMarked;
