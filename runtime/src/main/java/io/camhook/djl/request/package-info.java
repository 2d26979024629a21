/** Requests: which of the application's requests are sampled, and how each is captured. */
@NullMarked
package io.camhook.djl.request;

import org.jspecify.annotations.NullMarked;
