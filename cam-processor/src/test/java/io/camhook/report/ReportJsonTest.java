package io.camhook.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigDecimal;
import java.math.MathContext;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ReportJsonTest {
  @ParameterizedTest
  @CsvSource({
    "0, 0",
    "0.1234567, 0.123457",
    "-0.000123456789, -0.000123457",
    "0.000001, 0.000001",
    "999999.6, 1000000",
    "0.5, 0.5",
    "1234567.5, 1.23457E+6",
    "1e-9, 1.00000E-9",
    "-3, -3",
    "NaN, null",
    "Infinity, null"
  })
  void number_should_have_six_digits(double value, String text) {
    assertThat(number(value)).isEqualTo(text);
  }

  @Test
  void numbers_should_be_what_exact_rounding_gives() {
    Random random = new Random(7);
    for (int i = 0; i < 20_000; i++) {
      double value = (random.nextDouble() - 0.5) * Math.pow(10, random.nextInt(14) - 7);
      // a unit in the sixth digit: 0.5 of it is rounding, which may fall to either side of a tie
      double exact = new BigDecimal(value).round(new MathContext(6)).doubleValue();
      double unit = Math.pow(10, Math.floor(Math.log10(Math.abs(value))) - 5);
      assertThat(Math.abs(Double.parseDouble(number(value)) - exact))
          .as("%s", value)
          .isLessThan(1e-3 * unit);
    }
  }

  @Test
  void text_should_not_end_its_element_and_stay_what_it_is() {
    byte[] json = ReportJson.bytes(out -> out.writeString("</script>zwölf 猫 \"×\""));
    assertThat(new String(json, StandardCharsets.UTF_8))
        .isEqualTo("\"\\u003C/script>zwölf 猫 \\\"×\\\"\"");
  }

  private static String number(double value) {
    return new String(
        ReportJson.bytes(out -> ReportJson.number(out, value)), StandardCharsets.UTF_8);
  }
}
