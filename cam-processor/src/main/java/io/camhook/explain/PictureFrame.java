package io.camhook.explain;

import io.camhook.render.Picture;

/**
 * The rectangle of the user's picture that the model's input shows, in pixels of that picture.
 * Padding may extend beyond the picture.
 *
 * @param original the picture as it was decoded
 * @param left column of the input's left edge
 * @param top row of its top edge
 * @param width columns that it covers
 * @param height rows that it covers
 */
public record PictureFrame(
    Picture original, double left, double top, double width, double height) {}
