package io.camhook.report;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.Closeable;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.zip.GZIPOutputStream;
import org.jspecify.annotations.Nullable;

/**
 * Serves a report over HTTP. Every address begins with a token of 128 random bits: requests without
 * it get 404, so other users of the machine and pages in a browser see nothing. A request with a
 * foreign {@code Host} is rejected, which prevents DNS rebinding.
 */
public final class ReportServer implements Closeable {
  private final HttpServer server;
  private final ExecutorService threads;
  private final ServedReport report;
  private final String host;
  private final String token;

  private ReportServer(HttpServer server, ServedReport report, String host, String token) {
    this.server = server;
    this.report = report;
    this.host = host;
    this.token = token;
    this.threads =
        Executors.newFixedThreadPool(
            4,
            task -> {
              Thread thread = new Thread(task, "camhook-report");
              thread.setDaemon(true);
              return thread;
            });
  }

  /**
   * Starts to serve.
   *
   * @param host name or address to listen at, {@code 127.0.0.1} unless the user names another
   * @param port 0 for a free one
   * @throws IOException if the port is taken
   */
  public static ReportServer start(ServedReport report, String host, int port) throws IOException {
    byte[] random = new byte[16];
    new SecureRandom().nextBytes(random);
    HttpServer http =
        HttpServer.create(new InetSocketAddress(InetAddress.getByName(host), port), 0);
    ReportServer server = new ReportServer(http, report, host, HexFormat.of().formatHex(random));
    http.createContext("/", server::answer);
    http.setExecutor(server.threads);
    http.start();
    return server;
  }

  /** The address of the page, with the token. */
  public URI address() {
    return URI.create("http://%s:%d/%s/".formatted(host, server.getAddress().getPort(), token));
  }

  private void answer(HttpExchange exchange) throws IOException {
    try (exchange) {
      String[] path = exchange.getRequestURI().getPath().split("/", 3);
      if (path.length < 2 || !isToken(path[1]) || !isOurs(exchange)) {
        send(exchange, 404, "text/plain", "not found\n");
        return;
      }
      if (!exchange.getRequestMethod().equals("GET")) {
        send(exchange, 405, "text/plain", "only GET\n");
        return;
      }
      String name = path.length == 3 ? path[2] : "";
      if (name.isEmpty()) {
        send(exchange, 200, "text/html; charset=utf-8", report.page("/" + token));
        return;
      }
      byte[] data = report.data(name, from(exchange.getRequestURI().getQuery()));
      if (data == null) {
        send(exchange, 404, "text/plain", "not found\n");
      } else {
        send(exchange, 200, "application/json", data);
      }
    }
  }

  private boolean isToken(String given) {
    return MessageDigest.isEqual(
        given.getBytes(StandardCharsets.UTF_8), token.getBytes(StandardCharsets.UTF_8));
  }

  /** The host in the browser's request: an address, or the given name. */
  private boolean isOurs(HttpExchange exchange) {
    String asked = exchange.getRequestHeaders().getFirst("Host");
    if (asked == null) {
      return true;
    }
    String name = asked.replaceFirst(":\\d+$", "");
    return name.equals(host)
        || name.equals("localhost")
        || name.matches("[0-9.]+|\\[[0-9a-fA-F:.]+]");
  }

  private static int from(@Nullable String query) {
    return query != null && query.matches("from=[0-9]{1,9}")
        ? Integer.parseInt(query.substring("from=".length()))
        : 0;
  }

  private static void send(HttpExchange exchange, int status, String type, String text)
      throws IOException {
    send(exchange, status, type, text.getBytes(StandardCharsets.UTF_8));
  }

  private static void send(HttpExchange exchange, int status, String type, byte[] bytes)
      throws IOException {
    exchange.getResponseHeaders().set("Content-Type", type);
    exchange.getResponseHeaders().set("Cache-Control", "no-store");
    exchange.getResponseHeaders().set("X-Content-Type-Options", "nosniff");
    exchange.getResponseHeaders().set("Referrer-Policy", "no-referrer");
    String accepted = exchange.getRequestHeaders().getFirst("Accept-Encoding");
    boolean small = bytes.length < 4096 || accepted == null || !accepted.contains("gzip");
    if (!small) {
      exchange.getResponseHeaders().set("Content-Encoding", "gzip");
    }
    exchange.sendResponseHeaders(status, small ? bytes.length : 0);
    OutputStream body = exchange.getResponseBody();
    if (small) {
      body.write(bytes);
    } else {
      try (GZIPOutputStream zip = new GZIPOutputStream(body)) {
        zip.write(bytes);
      }
    }
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
  }
}
