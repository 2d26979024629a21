/** Sessions: passes on request, for callers such as {@code camhook explain}. */
@NullMarked
package io.camhook.djl.session;

import org.jspecify.annotations.NullMarked;
