/** The -javaagent: options, YAML to immutable records, weaving, adapter loading. */
@NullMarked
package io.camhook.agent;

import org.jspecify.annotations.NullMarked;
