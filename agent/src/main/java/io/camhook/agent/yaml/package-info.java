/** camhook.yaml to immutable records, with every error at its place in the file. */
@NullMarked
package io.camhook.agent.yaml;

import org.jspecify.annotations.NullMarked;
