/**
 * What an adapter links to in its engine, collected from the adapter's bytecode when the agent is
 * built and checked before a class of the engine is woven. OpenTelemetry calls this muzzle.
 */
@NullMarked
package io.camhook.agent.links;

import org.jspecify.annotations.NullMarked;
