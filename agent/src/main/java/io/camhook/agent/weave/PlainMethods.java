package io.camhook.agent.weave;

import static net.bytebuddy.matcher.ElementMatchers.any;
import static net.bytebuddy.matcher.ElementMatchers.isAbstract;
import static net.bytebuddy.matcher.ElementMatchers.isBridge;
import static net.bytebuddy.matcher.ElementMatchers.isNative;
import static net.bytebuddy.matcher.ElementMatchers.isStatic;
import static net.bytebuddy.matcher.ElementMatchers.not;

import io.camhook.agent.weave.PlainWeaver.Target;
import io.camhook.dispatch.EventLog;
import io.camhook.plain.Signature;
import java.util.List;
import net.bytebuddy.agent.builder.AgentBuilder;
import net.bytebuddy.asm.Advice;
import net.bytebuddy.description.method.MethodDescription;
import net.bytebuddy.description.type.TypeDescription;
import net.bytebuddy.dynamic.DynamicType;
import net.bytebuddy.matcher.ElementMatcher;

/** The methods of plain networks that are woven, and their advice. */
final class PlainMethods {
  private PlainMethods() {}

  static AgentBuilder addTo(AgentBuilder builder, List<Target> targets, EventLog log) {
    return builder
        .type(
            new DispatchReach(log)
                .of(type -> targets.stream().anyMatch(target -> kindOf(type, target)), any()))
        .transform(
            (type, description, loader, module, domain) -> weave(type, description, targets));
  }

  private static boolean kindOf(TypeDescription type, Target target) {
    return new TypeName(target.type()).describes(type);
  }

  /** One advice per method: if several targets match it, the first one, which is the root's. */
  private static DynamicType.Builder<?> weave(
      DynamicType.Builder<?> builder, TypeDescription type, List<Target> targets) {
    DynamicType.Builder<?> woven = builder;
    ElementMatcher.Junction<MethodDescription> taken = isAbstract();
    for (Target target : targets) {
      if (kindOf(type, target)) {
        ElementMatcher.Junction<MethodDescription> methods = named(target.method());
        woven =
            woven.visit(
                Advice.withCustomMapping()
                    .bind(PlainAdvice.Entry.class, target.entry())
                    .bind(PlainAdvice.RoleNumber.class, target.role().ordinal())
                    .to(PlainAdvice.class, AgentClassFiles.LOCATOR)
                    .on(methods.and(not(taken))));
        taken = taken.or(methods);
      }
    }
    return woven;
  }

  private static ElementMatcher.Junction<MethodDescription> named(Signature signature) {
    ElementMatcher.Junction<MethodDescription> named =
        new ElementMatcher.Junction.ForNonNullValues<>() {
          @Override
          protected boolean doMatch(MethodDescription method) {
            return method.isMethod()
                && signature.matches(
                    method.getName(),
                    method.getParameters().asTypeList().asErasures().stream()
                        .map(TypeDescription::getActualName)
                        .toList());
          }
        };
    return named.and(not(isAbstract().or(isNative()).or(isStatic()).or(isBridge())));
  }
}
