/** Reads camhook.yaml into immutable records and reports every error with its location. */
@NullMarked
package io.camhook.agent.yaml;

import org.jspecify.annotations.NullMarked;
