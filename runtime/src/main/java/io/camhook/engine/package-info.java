/**
 * The interface between the agent, which links to no engine, and the adapter that it creates in the
 * class loader of the application's engine.
 */
@NullMarked
package io.camhook.engine;

import org.jspecify.annotations.NullMarked;
