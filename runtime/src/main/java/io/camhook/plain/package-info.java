/**
 * Plain Java networks: classes with their own forward and backward methods, whose tensors are
 * arrays, buffers or objects of the application's.
 */
@NullMarked
package io.camhook.plain;

import org.jspecify.annotations.NullMarked;
