/**
 * TorchScript models under DJL: instrumented when they are loaded, tapped when a request is
 * sampled.
 */
@NullMarked
package io.camhook.djl.script;

import org.jspecify.annotations.NullMarked;
