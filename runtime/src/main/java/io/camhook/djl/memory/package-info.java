/** Native memory: the handles behind arrays, and arrays that nobody else would close. */
@NullMarked
package io.camhook.djl.memory;

import org.jspecify.annotations.NullMarked;
