package io.camhook.recording;

import org.jspecify.annotations.Nullable;

/**
 * A scalar that was differentiated.
 *
 * @param sample row of the batch, from 0
 * @param n number of the target among its sample's targets, from 0; its gradient is {@code
 *     gradient@n/PATH} at {@code sample}
 * @param index class index in the model's output
 * @param label the class's name, null if unknown
 * @param score the scalar's value
 */
public record Target(int sample, int n, int index, @Nullable String label, double score) {}
