package io.camhook.explain;

import io.camhook.render.Picture;

/**
 * Where what a model was fed lies in the picture that the user gave, in pixels of that picture. A
 * part of it may lie outside, where padding was added.
 *
 * @param original the picture as it was decoded
 * @param left column of the fed picture's left edge
 * @param top row of its top edge
 * @param width columns that it covers
 * @param height rows that it covers
 */
public record PictureFrame(
    Picture original, double left, double top, double width, double height) {}
