package io.camhook.agent.weave;

import io.camhook.naming.Glob;
import net.bytebuddy.description.annotation.AnnotationDescription;
import net.bytebuddy.description.type.TypeDefinition;
import net.bytebuddy.description.type.TypeDescription;

/**
 * Name or glob of a class, interface or annotation. It matches types with that name, their
 * subtypes, and types that have an annotation with that name themselves or on a supertype.
 */
final class TypeName {
  private final Glob glob;

  TypeName(String text) {
    glob = new Glob(text);
  }

  boolean describes(TypeDescription type) {
    return describesOne(type) || describesAbove(type);
  }

  private boolean describesAbove(TypeDefinition type) {
    TypeDefinition parent = type.getSuperClass();
    if (parent != null && !parent.represents(Object.class) && describes(parent.asErasure())) {
      return true;
    }
    for (TypeDefinition parentInterface : type.getInterfaces()) {
      if (describes(parentInterface.asErasure())) {
        return true;
      }
    }
    return false;
  }

  private boolean describesOne(TypeDescription type) {
    if (glob.matches(type.getName())) {
      return true;
    }
    for (AnnotationDescription annotation : type.getDeclaredAnnotations()) {
      if (glob.matches(annotation.getAnnotationType().getName())) {
        return true;
      }
    }
    return false;
  }
}
