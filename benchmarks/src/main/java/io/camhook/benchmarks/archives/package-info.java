/**
 * TorchScript archives of the size and shape of well-known networks, with random weights, written
 * without Python.
 */
@NullMarked
package io.camhook.benchmarks.archives;

import org.jspecify.annotations.NullMarked;
