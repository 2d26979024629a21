/**
 * Plain Java networks: classes with their own forward and backward methods, whose tensors are
 * arrays, buffers or the application's own objects.
 */
@NullMarked
package io.camhook.plain;

import org.jspecify.annotations.NullMarked;
