package io.camhook.recording;

import org.jspecify.annotations.Nullable;

/**
 * One class that the model predicted.
 *
 * @param index class index in the model's output
 * @param label the class's name, null if unknown
 * @param probability 0 to 1
 */
public record Prediction(int index, @Nullable String label, double probability) {}
