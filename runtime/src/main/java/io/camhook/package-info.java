/**
 * The public hook API: PyTorch's module and tensor hooks under Java names, without any engine type.
 */
@NullMarked
package io.camhook;

import org.jspecify.annotations.NullMarked;
