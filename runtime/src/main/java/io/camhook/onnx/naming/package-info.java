/**
 * Names for values of an ONNX graph: module paths, if the exporter kept them, and the exact names
 * of nodes and values.
 */
@NullMarked
package io.camhook.onnx.naming;

import org.jspecify.annotations.NullMarked;
