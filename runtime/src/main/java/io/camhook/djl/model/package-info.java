/** A model as camhook sees it: its tree of modules and what is captured of it. */
@NullMarked
package io.camhook.djl.model;

import org.jspecify.annotations.NullMarked;
