package io.camhook.agent.yaml;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class PublishedYamlTest {
  @Test
  void secrets_variables_and_comments_should_not_be_published() {
    String yaml =
        """
        # who to call: +49 170 1234567
        version: 1
        models:
          - name: "res#net"      # the new one
            labels: 'a # b.txt'
            tokenizer: tokenizer.json
            hooks:
              - { hook: com.acme.Send, password: hunter2, apiKey: "k-1", url: "https://joe:pw@host/x" }
        output:
          directory: out/${STAGE:-s3cret}/%t
          auth:
            client_secret: >
              folded
              secret
            tokens: [one, two]
            user: joe
        """;
    assertThat(PublishedYaml.of(yaml))
        .isEqualTo(
            """
            version: 1
            models:
              - name: "res#net"
                labels: 'a # b.txt'
                tokenizer: tokenizer.json
                hooks:
                  - { hook: com.acme.Send, password: "***", apiKey: "***", url: "https://***@host/x" }
            output:
              directory: out/***/%t
              auth:
                client_secret: "***"
                tokens: ["***", "***"]
                user: joe
            """);
  }

  @Test
  void text_that_is_no_yaml_should_not_be_published() {
    assertThat(PublishedYaml.of("{ password: ")).isNull();
    assertThat(PublishedYaml.of("# nothing")).isEmpty();
  }

  @Test
  void secrets_of_a_kafka_client_should_not_be_published() {
    assertThat(
            PublishedYaml.of(
                """
                output:
                  kafka:
                    bootstrap: a:9092
                    properties:
                      sasl.jaas.config: 'Login required password="hush";'
                      ssl.key.password: hush
                      ssl.keystore.key: |
                        hush
                      ssl.truststore.password: hush
                      security.protocol: SASL_SSL
                """))
        .doesNotContain("hush")
        .contains("bootstrap: a:9092", "security.protocol: SASL_SSL");
  }
}
