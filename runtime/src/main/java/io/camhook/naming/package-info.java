/** What modules are called: paths, globs, layer patterns, the nearest name to a wrong one. */
@NullMarked
package io.camhook.naming;

import org.jspecify.annotations.NullMarked;
