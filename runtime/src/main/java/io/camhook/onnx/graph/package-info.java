/**
 * ONNX model files as data: the protobuf, its graph, nodes, attributes, constant tensors and
 * declared types. Nothing here runs a model. Fields that this package does not know are kept and
 * written back; weights stay slices of the bytes that were read until the model is written.
 *
 * <p>Field numbers are those of <a
 * href="https://github.com/onnx/onnx/blob/main/onnx/onnx.proto">onnx.proto</a>.
 */
@NullMarked
package io.camhook.onnx.graph;

import org.jspecify.annotations.NullMarked;
