package io.camhook.agent.weave;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.lang.ref.WeakReference;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.apache.catalina.Context;
import org.apache.catalina.Wrapper;
import org.apache.catalina.startup.Tomcat;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A redeployed web application is collected together with its class loader, although its requests
 * were captured.
 */
@Timeout(120)
class RedeployTest {
  private static final List<String> CLASSES =
      List.of("app/web/PredictServlet", "app/nn/Layer", "app/nn/Scale", "app/nn/Stack");

  @TempDir Path temp;

  @Test
  void loaders_of_old_deployments_should_be_collected() throws Exception {
    Path webapp = webapp();
    try (WovenPlain woven =
        new WovenPlain("models: [{ name: n, class: app.nn.Layer, layers: '*' }]")) {
      Tomcat tomcat = new Tomcat();
      tomcat.setBaseDir(temp.resolve("tomcat").toString());
      tomcat.setPort(0);
      tomcat.getConnector();
      tomcat.start();
      List<WeakReference<ClassLoader>> loaders = new ArrayList<>();
      try {
        for (int deployment = 0; deployment < 3; deployment++) {
          loaders.add(deployAndUndeploy(tomcat, webapp));
        }
        Awaitility.await()
            .atMost(Duration.ofSeconds(60))
            .pollInterval(Duration.ofMillis(100))
            .until(
                () -> {
                  System.gc();
                  return loaders.stream().allMatch(loader -> loader.get() == null);
                });
      } finally {
        tomcat.stop();
        tomcat.destroy();
      }
      assertThat(woven.captured()).hasSize(3);
    }
  }

  private WeakReference<ClassLoader> deployAndUndeploy(Tomcat tomcat, Path webapp)
      throws Exception {
    Context context = tomcat.addContext("/shop", webapp.toString());
    Wrapper servlet = Tomcat.addServlet(context, "predict", "app.web.PredictServlet");
    servlet.addMapping("/predict");
    context.setParentClassLoader(getClass().getClassLoader());
    tomcat.getHost();
    WeakReference<ClassLoader> loader = new WeakReference<>(context.getLoader().getClassLoader());
    HttpResponse<String> answer =
        HttpClient.newHttpClient()
            .send(
                HttpRequest.newBuilder(
                        URI.create(
                            "http://localhost:%d/shop/predict"
                                .formatted(tomcat.getConnector().getLocalPort())))
                    .build(),
                HttpResponse.BodyHandlers.ofString());
    assertThat(answer.body()).isEqualTo("15.0 30.0");
    assertThat(servlet.getServlet().getClass().getClassLoader()).isSameAs(loader.get());
    context.stop();
    context.destroy();
    tomcat.getHost().removeChild(context);
    return loader;
  }

  private Path webapp() throws IOException {
    Path classes = temp.resolve("shop/WEB-INF/classes");
    for (String name : CLASSES) {
      Path file = classes.resolve(name + ".class");
      Files.createDirectories(file.getParent());
      try (InputStream in = getClass().getClassLoader().getResourceAsStream(name + ".class")) {
        Files.copy(in, file);
      }
    }
    return temp.resolve("shop");
  }
}
