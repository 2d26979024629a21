/**
 * The DJL adapter: block paths, cuts, autograd gateway, request boundary, the DJL-typed hook API.
 */
@NullMarked
package io.camhook.djl;

import org.jspecify.annotations.NullMarked;
