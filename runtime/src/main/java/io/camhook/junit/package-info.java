/** Hooks in JUnit tests. */
@NullMarked
package io.camhook.junit;

import org.jspecify.annotations.NullMarked;
