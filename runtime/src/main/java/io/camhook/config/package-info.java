/**
 * What camhook.yaml says, as immutable records: the contract between the agent's parser and the
 * adapters.
 */
@NullMarked
package io.camhook.config;

import org.jspecify.annotations.NullMarked;
