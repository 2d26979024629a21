/**
 * The classes and members of its engine that an adapter links to: collected from the adapter's
 * bytecode when the agent is built, and checked before a class of the engine is woven.
 * OpenTelemetry calls this muzzle.
 */
@NullMarked
package io.camhook.agent.links;

import org.jspecify.annotations.NullMarked;
