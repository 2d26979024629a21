/** The Java agent: options, configuration, weaving, loading of adapters. */
@NullMarked
package io.camhook.agent;

import org.jspecify.annotations.NullMarked;
