package io.camhook.cam;

import java.util.Map;

/**
 * What a method says about one sample.
 *
 * @param method id of the method
 * @param raw per layer the map before ReLU and scaling, in the layer's spatial shape
 * @param heatmap 0..1 at the size of the input; 0 everywhere where no raw map has a positive value
 */
public record CamResult(String method, Map<String, FloatMap> raw, FloatMap heatmap) {}
