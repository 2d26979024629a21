/**
 * The examples of the lecture: programs that register hooks from code. They run under the agent.
 */
@NullMarked
package io.camhook.samples.lecture;

import org.jspecify.annotations.NullMarked;
