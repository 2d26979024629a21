/** Native memory: the handles of arrays, and arrays that nobody else would close. */
@NullMarked
package io.camhook.djl.memory;

import org.jspecify.annotations.NullMarked;
