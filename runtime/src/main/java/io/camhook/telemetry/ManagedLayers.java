package io.camhook.telemetry;

import io.camhook.builtin.LayerHealth;
import io.camhook.builtin.LayerHealth.Layer;
import io.camhook.capture.CaptureObserver;
import io.camhook.capture.Recorder;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Registers the JMX bean of the layers beside that of the recorder. */
final class ManagedLayers implements CaptureObserver {
  static final String NAME = "io.camhook:type=Layers";

  private final LayerHealth health;

  ManagedLayers(LayerHealth health) {
    this.health = health;
  }

  @Override
  public void began(Recorder recorder) {
    PlatformBeans.register(NAME, new Bean(health), LayersMXBean.class);
  }

  @Override
  public void close() {
    PlatformBeans.unregister(NAME);
  }

  private static String name(Layer layer) {
    return "%s %s %s".formatted(layer.model(), layer.layer(), layer.value());
  }

  private record Bean(LayerHealth health) implements LayersMXBean {
    @Override
    public List<String> getLayers() {
      return health.layers().stream().map(Bean::line).toList();
    }

    private static String line(Layer layer) {
      return String.format(
          Locale.ROOT,
          "%s: steps %d, mean %.4g, norm %.4g, NaN or infinite %d, dead channels %d of %d, drift %.2f",
          name(layer),
          layer.steps(),
          layer.mean(),
          layer.norm(),
          layer.nonFinite(),
          layer.deadChannels(),
          layer.channels(),
          layer.drift());
    }

    @Override
    public List<String> getDrifting() {
      return health.layers().stream().filter(Layer::drifting).map(ManagedLayers::name).toList();
    }

    @Override
    public long getNonFinite() {
      return health.nonFinite();
    }

    @Override
    public long getDeadChannels() {
      return health.deadChannels();
    }

    @Override
    public Map<String, Long> getDrifts() {
      Map<String, Long> classes = new LinkedHashMap<>();
      for (int i = 0; i <= LayerHealth.CLASSES.size(); i++) {
        classes.put(Measure.driftClass(i), health.drifts(i));
      }
      return classes;
    }
  }
}
