package io.camhook.fleet;

import io.camhook.benchmarks.kafka.KafkaBroker;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;

/** Tests that share a broker, which runs as long as those of one class. */
abstract class WithBroker {
  static KafkaBroker broker;

  @BeforeAll
  static void startBroker(@TempDir Path brokerDirectory) throws Exception {
    broker = KafkaBroker.start(brokerDirectory);
  }

  @AfterAll
  static void stopBroker() {
    broker.close();
  }
}
