package io.camhook;

import static com.tngtech.archunit.core.domain.JavaAccess.Predicates.targetOwner;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.type;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import io.camhook.dispatch.HookKind;

/** The arrows between the runtime's packages point one way. */
@AnalyzeClasses(packages = "io.camhook", importOptions = ImportOption.DoNotIncludeTests.class)
class PackageRulesTest {
  @ArchTest
  static final ArchRule rooms_should_have_no_cycles =
      slices().matching("io.camhook.(*)..").should().beFreeOfCycles();

  @ArchTest
  static final ArchRule rooms_of_the_djl_adapter_should_have_no_cycles =
      slices().matching("io.camhook.djl.(*)..").should().beFreeOfCycles();

  @ArchTest
  static final ArchRule rooms_of_torchscript_should_have_no_cycles =
      slices().matching("io.camhook.torchscript.(*)..").should().beFreeOfCycles();

  @ArchTest
  static final ArchRule the_seam_should_know_no_engine =
      noClasses()
          .that()
          .resideInAPackage("io.camhook.engine..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "io.camhook.djl..", "io.camhook.torchscript..", "io.camhook.plain..", "ai.djl..");

  @ArchTest
  static final ArchRule only_the_djl_adapter_should_see_djl =
      noClasses()
          .that()
          .resideOutsideOfPackage("io.camhook.djl..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("ai.djl..");

  @ArchTest
  static final ArchRule nothing_should_depend_on_the_djl_adapter =
      noClasses()
          .that()
          .resideOutsideOfPackage("io.camhook.djl..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("io.camhook.djl..");

  @ArchTest
  static final ArchRule torchscript_should_be_text_and_bytes =
      noClasses()
          .that()
          .resideInAPackage("io.camhook.torchscript..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "io.camhook",
              "io.camhook.dispatch..",
              "io.camhook.capture..",
              "io.camhook.recording..",
              "io.camhook.config..",
              "io.camhook.plain..");

  /** A kind of hook is its interface and its constant; engines know only when hooks run. */
  @ArchTest
  static final ArchRule engines_should_not_know_the_kinds_of_hooks =
      noClasses()
          .that()
          .resideInAnyPackage("io.camhook.djl..", "io.camhook.ort..", "io.camhook.plain..")
          .and()
          .haveNameNotMatching("io.camhook.djl.BlockHooks|io.camhook.djl.hooks.ConfiguredHooks")
          .should()
          .dependOnClassesThat()
          .belongToAnyOf(
              ForwardPreHook.class,
              ForwardPreHookWithParams.class,
              ForwardHook.class,
              ForwardHookWithParams.class,
              FullBackwardPreHook.class,
              FullBackwardHook.class,
              TensorHook.class,
              PostAccumulateGradHook.class)
          .orShould()
          .accessFieldWhere(targetOwner(type(HookKind.class)));

  @ArchTest
  static final ArchRule recording_should_know_nothing_of_hooks =
      noClasses()
          .that()
          .resideInAPackage("io.camhook.recording..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "io.camhook",
              "io.camhook.dispatch..",
              "io.camhook.capture..",
              "io.camhook.torchscript..");

  @ArchTest
  static final ArchRule config_should_be_records_alone =
      noClasses()
          .that()
          .resideInAPackage("io.camhook.config..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "io.camhook",
              "io.camhook.dispatch..",
              "io.camhook.capture..",
              "io.camhook.recording..",
              "io.camhook.torchscript..");

  @ArchTest
  static final ArchRule onnx_should_be_files_and_graphs =
      noClasses()
          .that()
          .resideInAPackage("io.camhook.onnx..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "ai..",
              "io.camhook",
              "io.camhook.dispatch..",
              "io.camhook.capture..",
              "io.camhook.recording..",
              "io.camhook.config..",
              "io.camhook.torchscript..",
              "io.camhook.djl..",
              "io.camhook.ort..",
              "io.camhook.plain..");

  @ArchTest
  static final ArchRule only_the_ort_adapter_should_see_onnxruntime =
      noClasses()
          .that()
          .resideOutsideOfPackage("io.camhook.ort..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("ai.onnxruntime..");

  @ArchTest
  static final ArchRule only_the_kafka_sink_should_see_kafka =
      noClasses()
          .that()
          .resideOutsideOfPackage("io.camhook.kafka..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("io.camhook.kafka..", "org.apache.kafka..");
}
