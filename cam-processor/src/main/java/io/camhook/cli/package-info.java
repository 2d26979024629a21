/** The camhook command. */
@NullMarked
package io.camhook.cli;

import org.jspecify.annotations.NullMarked;
