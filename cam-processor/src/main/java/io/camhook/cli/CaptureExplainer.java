package io.camhook.cli;

import io.camhook.cam.CamException;
import io.camhook.cam.CamMethod;
import io.camhook.cam.CamResult;
import io.camhook.cam.FloatMap;
import io.camhook.cam.Heatmaps;
import io.camhook.cam.KeptMaps;
import io.camhook.cam.LayerSample;
import io.camhook.cam.LayerTensors;
import io.camhook.cam.Requirement;
import io.camhook.explain.Vocabulary;
import io.camhook.recording.Capture;
import io.camhook.recording.LayerOutput;
import io.camhook.recording.Manifest;
import io.camhook.recording.Target;
import io.camhook.recording.Tensor;
import io.camhook.recording.TensorName;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Computes the maps of recorded captures. It uses those recorded layers that have the data a method
 * needs; if the user named layers, all of them must have it. A method based on the classifier's
 * weights uses the last layer that fits them. Immutable and thread-safe.
 */
final class CaptureExplainer {
  private final MethodChoice methods;
  private final LayerChoice layers;
  private final RecordedLayouts layouts;
  private final @Nullable Vocabulary vocabulary;

  /**
   * @param layouts where the channels of recorded layers are
   * @param vocabulary the words of recorded token ids; null shows the numbers
   */
  CaptureExplainer(
      MethodChoice methods,
      LayerChoice layers,
      RecordedLayouts layouts,
      @Nullable Vocabulary vocabulary) {
    this.methods = methods;
    this.layers = layers;
    this.layouts = layouts;
    this.vocabulary = vocabulary;
  }

  /** The same for a recording, whose manifest has the types of the modules. */
  CaptureExplainer of(Manifest manifest) {
    return new CaptureExplainer(methods, layers, layouts.with(manifest), vocabulary);
  }

  private LayerTensors tensors(CaptureView view, LayerOutput layer, int n) {
    return layouts.of(view.capture().model(), view.tensors(layer, n), view.inputShape());
  }

  /** One explanation for each sample of the batch. */
  List<Explanation> explain(Capture capture) {
    CaptureView view = new CaptureView(capture);
    KeptMaps kept = KeptMaps.of(capture);
    if (!kept.isEmpty()) {
      return explain(view, kept);
    }
    List<LayerOutput> chosen = layers.of(capture);
    List<CamMethod> wanted = methods.of(capture);
    List<Explanation> explanations = new ArrayList<>();
    for (int sample = 0; sample < view.samples(); sample++) {
      explanations.add(explain(view, sample, chosen, wanted));
    }
    return explanations;
  }

  /** The names of a capture's explanations. */
  List<String> names(Capture capture) {
    int samples = new CaptureView(capture).samples();
    List<String> names = new ArrayList<>();
    for (int sample = 0; sample < samples; sample++) {
      names.add(name(capture, sample, samples));
    }
    return names;
  }

  private static String name(Capture capture, int sample, int samples) {
    return samples == 1 ? capture.id() : capture.id() + "-" + sample;
  }

  /** Explains a capture that keeps the maps of one method and no tensors. */
  private List<Explanation> explain(CaptureView view, KeptMaps kept) {
    List<LayerOutput> chosen = layers.of(view.capture(), kept.layers());
    Map<String, String> problems = new LinkedHashMap<>();
    boolean wanted = !methods.isExplicit();
    for (CamMethod method :
        methods.isExplicit() ? methods.of(view.capture()) : List.<CamMethod>of()) {
      if (method.id().equals(KeptMaps.METHOD)) {
        wanted = true;
      } else {
        problems.put(
            method.id(),
            "the capture keeps the maps of %s alone (reduce: cam)".formatted(KeptMaps.METHOD));
      }
    }
    List<Explanation> explanations = new ArrayList<>();
    for (int sample = 0; sample < view.samples(); sample++) {
      List<Explanation.Maps> maps = new ArrayList<>();
      for (Target target : wanted ? view.targets(sample) : List.<Target>of()) {
        try {
          maps.add(
              new Explanation.Maps(
                  target.n(),
                  kept.result(Heatmaps.standard(), chosen, sample, target.n(), view.inputShape())));
        } catch (CamException e) {
          problems.putIfAbsent(KeptMaps.METHOD, String.valueOf(e.getMessage()));
        }
      }
      explanations.add(explanation(view, sample, maps, List.of(), problems));
    }
    return explanations;
  }

  private Explanation explain(
      CaptureView view, int sample, List<LayerOutput> chosen, List<CamMethod> wanted) {
    List<Target> targets = view.targets(sample);
    Map<String, String> problems = new LinkedHashMap<>();
    List<Explanation.Maps> maps = new ArrayList<>();
    for (CamMethod method : wanted) {
      for (Target target : targets) {
        if (target.n() > 0 && !dependsOnTarget(method)) {
          continue;
        }
        try {
          maps.add(new Explanation.Maps(target.n(), map(view, sample, target.n(), chosen, method)));
        } catch (CamException e) {
          problems.putIfAbsent(method.id(), String.valueOf(e.getMessage()));
        }
      }
    }
    return explanation(view, sample, maps, recorded(view, sample, chosen, targets), problems);
  }

  private Explanation explanation(
      CaptureView view,
      int sample,
      List<Explanation.Maps> maps,
      List<Explanation.Layer> recorded,
      Map<String, String> problems) {
    Capture capture = view.capture();
    return new Explanation(
        name(capture, sample, view.samples()),
        capture.model(),
        capture.time(),
        view.picture(sample),
        view.logits(sample),
        view.predictions(sample),
        view.targets(sample),
        maps,
        recorded,
        problems,
        withWords(view, sample),
        Explanation.Fed.of(
            FedInput.row(capture.tensor(TensorName.input(0)).orElse(null), sample),
            FedInput.row(capture.tensor(TensorName.output(0)).orElse(null), sample)));
  }

  /** The metadata, with the words of the recorded ids if it has no words. */
  private Map<String, String> withWords(CaptureView view, int sample) {
    Map<String, String> metadata = FedInput.sample(view.capture().extra(), sample, view.samples());
    Tensor ids = vocabulary == null ? null : view.ids(sample);
    if (vocabulary == null || ids == null || metadata.containsKey(FedInput.TOKENS)) {
      return metadata;
    }
    Map<String, String> named = new LinkedHashMap<>(metadata);
    named.put(FedInput.TOKENS, WordMap.metadata(vocabulary.tokens(ids)));
    return named;
  }

  private static boolean dependsOnTarget(CamMethod method) {
    return method.needs().stream().anyMatch(need -> need != Requirement.ACTIVATION);
  }

  private CamResult map(
      CaptureView view, int sample, int n, List<LayerOutput> chosen, CamMethod method) {
    boolean classifier = method.needs().contains(Requirement.CLASSIFIER);
    Map<String, FloatMap> usable = new LinkedHashMap<>();
    CamException why = null;
    for (LayerOutput layer : chosen) {
      LayerTensors tensors = tensors(view, layer, n);
      try {
        usable.put(tensors.path(), method.raw(tensors, sample, view.inputShape()));
      } catch (CamException e) {
        why = e;
        if (layers.isExplicit() && !classifier) {
          throw e;
        }
      }
    }
    if (usable.isEmpty() && why != null) {
      throw why;
    }
    if (classifier) {
      usable.keySet().retainAll(Set.of(List.copyOf(usable.keySet()).get(usable.size() - 1)));
    }
    return Heatmaps.standard().of(method, usable, view.inputShape());
  }

  private List<Explanation.Layer> recorded(
      CaptureView view, int sample, List<LayerOutput> chosen, List<Target> targets) {
    List<Explanation.Layer> recorded = new ArrayList<>();
    for (LayerOutput layer : chosen) {
      List<float[]> gradients = new ArrayList<>();
      LayerSample seen = null;
      for (Target target : targets) {
        LayerSample of = sampleOf(tensors(view, layer, target.n()), sample, view.inputShape());
        if (of == null) {
          break;
        }
        seen = seen == null ? of : seen;
        if (of.gradient() != null) {
          gradients.add(of.gradient());
        }
      }
      if (seen != null) {
        recorded.add(
            new Explanation.Layer(layer.toString(), seen.spatial(), seen.activation(), gradients));
      }
    }
    return recorded;
  }

  /** Null if the layer has no spatial extent, or its numbers are not finite. */
  private static @Nullable LayerSample sampleOf(LayerTensors tensors, int sample, long[] shape) {
    try {
      return tensors.sample(sample, shape);
    } catch (CamException e) {
      return null;
    }
  }
}
