/**
 * Names for values of an ONNX graph: module paths, as far as the exporter left them, and the exact
 * names of nodes and values.
 */
@NullMarked
package io.camhook.onnx.naming;

import org.jspecify.annotations.NullMarked;
