/**
 * The demo: generated pictures with ground truth, a small CNN of DJL blocks, its training and its
 * predictor.
 */
package io.camhook.samples.shapes;
