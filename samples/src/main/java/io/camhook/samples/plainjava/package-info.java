/** A hand-written CNN with manual backpropagation and no dependency at all: arrays and loops. */
@NullMarked
package io.camhook.samples.plainjava;

import org.jspecify.annotations.NullMarked;
