/** A model as camhook sees it: its module tree, and what is captured of it. */
@NullMarked
package io.camhook.djl.model;

import org.jspecify.annotations.NullMarked;
