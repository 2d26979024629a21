/** Loading of TorchScript archives: the instrumented copy replaces the file. */
@NullMarked
package io.camhook.djl.archive;

import org.jspecify.annotations.NullMarked;
