package io.camhook.telemetry;

import io.camhook.builtin.LayerHealth;
import io.camhook.builtin.LayerHealth.Layer;
import io.camhook.capture.CaptureObserver;
import io.camhook.capture.Recorder;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import javax.management.ObjectName;

/** Registers the JMX beans of the layers beside that of the recorder. */
final class ManagedLayers implements CaptureObserver {
  static final String NAME = "io.camhook:type=Layers";

  private final LayerHealth health;
  private final List<String> registered = new ArrayList<>();

  ManagedLayers(LayerHealth health) {
    this.health = health;
  }

  @Override
  public synchronized void began(Recorder recorder) {
    PlatformBeans.register(NAME, new Layers(health), LayersMXBean.class);
  }

  @Override
  public synchronized void tick() {
    List<Layer> layers = health.layers();
    for (Layer layer : layers.subList(registered.size(), layers.size())) {
      String name =
          "io.camhook:type=Layer,model=%s,layer=%s,value=%s"
              .formatted(
                  ObjectName.quote(layer.model()),
                  ObjectName.quote(layer.layer()),
                  ObjectName.quote(layer.value()));
      PlatformBeans.register(name, new One(health, layer), LayerMXBean.class);
      registered.add(name);
    }
  }

  @Override
  public synchronized void close() {
    PlatformBeans.unregister(NAME);
    registered.forEach(PlatformBeans::unregister);
  }

  private static String name(Layer layer) {
    return "%s %s %s".formatted(layer.model(), layer.layer(), layer.value());
  }

  private record Layers(LayerHealth health) implements LayersMXBean {
    @Override
    public List<String> getLayers() {
      return health.layers().stream().map(Layers::line).toList();
    }

    private static String line(Layer layer) {
      return String.format(
          Locale.ROOT,
          "%s: steps %d, mean %.4g, norm %.4g, NaN or infinite %d, dead channels %d of %d, drift"
              + " %.2f",
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
      return health.layers().stream().mapToLong(Layer::nonFinite).sum();
    }

    @Override
    public long getDeadChannels() {
      return health.layers().stream().mapToLong(Layer::deadChannels).sum();
    }
  }

  private record One(LayerHealth health, Layer first) implements LayerMXBean {
    private Layer now() {
      return health.now(first);
    }

    @Override
    public long getSteps() {
      return now().steps();
    }

    @Override
    public double getMean() {
      return now().mean();
    }

    @Override
    public double getNorm() {
      return now().norm();
    }

    @Override
    public long getNonFinite() {
      return now().nonFinite();
    }

    @Override
    public int getChannels() {
      return now().channels();
    }

    @Override
    public int getDeadChannels() {
      return now().deadChannels();
    }

    @Override
    public double getDrift() {
      return now().drift();
    }

    @Override
    public boolean isDrifting() {
      return now().drifting();
    }

    @Override
    public Map<String, Long> getMeanDrifts() {
      return now().meanDrifts().inWords();
    }

    @Override
    public Map<String, Long> getNormDrifts() {
      return now().normDrifts().inWords();
    }

    @Override
    public Map<String, Long> getDeadShares() {
      return now().deadShares().inWords();
    }

    @Override
    public Map<String, Long> getNonFiniteShares() {
      return now().nonFiniteShares().inWords();
    }
  }
}
