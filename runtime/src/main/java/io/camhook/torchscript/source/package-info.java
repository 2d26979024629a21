/** The language: lexer, parser, syntax tree, printer. */
@NullMarked
package io.camhook.torchscript.source;

import org.jspecify.annotations.NullMarked;
