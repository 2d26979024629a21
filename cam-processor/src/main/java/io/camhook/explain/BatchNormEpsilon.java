package io.camhook.explain;

import io.camhook.cam.CamException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/** The epsilon of a model's batch norms: a literal in the code of its archive. */
final class BatchNormEpsilon {
  private static final double DEFAULT = 1e-5;
  private static final Pattern CALL = Pattern.compile("batch_norm\\(([^()]*)\\)");
  private static final Pattern NUMBER =
      Pattern.compile("(?<![\\w.])\\d+\\.?\\d*(?:e-?\\d+)?(?![\\w.])");

  private BatchNormEpsilon() {}

  static double of(Path model) throws IOException {
    Set<Double> found = new TreeSet<>();
    try (ZipFile zip = new ZipFile(model.toFile())) {
      for (ZipEntry entry : zip.stream().filter(e -> e.getName().endsWith(".py")).toList()) {
        String code = new String(zip.getInputStream(entry).readAllBytes(), StandardCharsets.UTF_8);
        Matcher call = CALL.matcher(code);
        while (call.find()) {
          lastNumber(call.group(1), found);
        }
      }
    }
    if (found.size() > 1) {
      throw new CamException("fullgrad: this model's batch norms have different epsilons " + found);
    }
    return found.stream().findFirst().orElse(DEFAULT);
  }

  private static void lastNumber(String arguments, Set<Double> found) {
    Matcher number = NUMBER.matcher(arguments);
    Double last = null;
    while (number.find()) {
      last = Double.valueOf(number.group());
    }
    if (last != null) {
      found.add(last);
    }
  }
}
