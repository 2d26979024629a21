/** Runs hooks on blocks and inside TorchScript models. */
@NullMarked
package io.camhook.djl.hooks;

import org.jspecify.annotations.NullMarked;
