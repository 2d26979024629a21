/**
 * The seam between the agent, which links nowhere near an engine, and the adapter that it makes in
 * the application's engine loader.
 */
@NullMarked
package io.camhook.engine;

import org.jspecify.annotations.NullMarked;
