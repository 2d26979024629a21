/** The analysis: which call sites reach a module, and how its value flows to the score. */
@NullMarked
package io.camhook.torchscript.flow;

import org.jspecify.annotations.NullMarked;
