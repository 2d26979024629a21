package io.camhook.samples.pictures;

/**
 * The truth about one object in a picture.
 *
 * @param shape what it is
 * @param mask where it is
 */
public record PictureObject(ShapeClass shape, Mask mask) {}
