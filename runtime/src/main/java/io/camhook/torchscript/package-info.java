/** TorchScript archives as text and bytes: reader, writer, parser, printer, tap rewriter. */
@NullMarked
package io.camhook.torchscript;

import org.jspecify.annotations.NullMarked;
