package io.camhook;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/**
 * Data moves forward: maps, then pictures, then the report, then the command; nothing calls back.
 */
@AnalyzeClasses(packages = "io.camhook", importOptions = ImportOption.DoNotIncludeTests.class)
class ProcessorPackageRulesTest {
  @ArchTest
  static final ArchRule cam_should_not_draw_or_report =
      noClasses()
          .that()
          .resideInAPackage("io.camhook.cam..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("io.camhook.report..", "io.camhook.cli..", "ai.djl..");

  @ArchTest
  static final ArchRule render_should_know_only_arrays =
      noClasses()
          .that()
          .resideInAPackage("io.camhook.render..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("io.camhook.cam..", "io.camhook.report..", "io.camhook.cli..");

  @ArchTest
  static final ArchRule report_should_not_know_the_command =
      noClasses()
          .that()
          .resideInAPackage("io.camhook.report..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("io.camhook.cli..");
}
