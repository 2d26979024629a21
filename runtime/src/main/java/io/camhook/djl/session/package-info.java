/** Sessions: passes that a caller asks for, such as {@code camhook explain}. */
@NullMarked
package io.camhook.djl.session;

import org.jspecify.annotations.NullMarked;
