/** Module names: paths, globs, layer patterns, suggestions for misspelled names. */
@NullMarked
package io.camhook.naming;

import org.jspecify.annotations.NullMarked;
