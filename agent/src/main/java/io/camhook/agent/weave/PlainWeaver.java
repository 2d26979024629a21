package io.camhook.agent.weave;

import io.camhook.config.CamhookConfig;
import io.camhook.config.PlainNetwork;
import io.camhook.dispatch.EventLog;
import io.camhook.plain.Role;
import io.camhook.plain.Signature;
import io.camhook.plain.TypePattern;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import net.bytebuddy.agent.builder.AgentBuilder;

/** Weaves the forward and backward methods of the plain Java networks in the configuration. */
public final class PlainWeaver implements Weaving {
  /** One kind of method in one kind of class. */
  record Target(int entry, String type, Signature method, Role role) {}

  private final List<Target> targets = new ArrayList<>();
  private final List<TypePattern> types;
  private final Set<String> methodNames = new LinkedHashSet<>();

  /** For the entries of {@code models} that have a {@code class}. */
  public PlainWeaver(CamhookConfig config) {
    for (int entry = 0; entry < config.models().size(); entry++) {
      PlainNetwork network = config.models().get(entry).plain();
      if (network == null) {
        continue;
      }
      PlainNetwork.Methods root = network.root();
      if (root != null) {
        add(entry, root, Role.ROOT_FORWARD, Role.ROOT_BACKWARD);
      }
      add(entry, network.module(), Role.FORWARD, Role.BACKWARD);
    }
    types = targets.stream().map(Target::type).distinct().map(TypePattern::new).toList();
  }

  private void add(int entry, PlainNetwork.Methods methods, Role forward, Role backward) {
    targets.add(new Target(entry, methods.type(), Signature.parse(methods.forward()), forward));
    if (methods.backward() != null) {
      targets.add(new Target(entry, methods.type(), Signature.parse(methods.backward()), backward));
    }
    targets.forEach(target -> methodNames.add(target.method.name()));
  }

  /** Whether there is nothing to weave. */
  public boolean isEmpty() {
    return targets.isEmpty();
  }

  /** A class that declares a method of that name has the name in its constant pool. */
  @Override
  public boolean mayConcern(String internalName, byte[] classFile) {
    for (String name : methodNames) {
      if (ConstantPool.has(classFile, name)) {
        return true;
      }
    }
    return false;
  }

  @Override
  public boolean mayConcern(Class<?> loaded) {
    try {
      return types.stream().anyMatch(type -> type.matches(loaded));
    } catch (LinkageError e) {
      return false; // a supertype is missing, so the class cannot run either
    }
  }

  @Override
  public AgentBuilder addTo(AgentBuilder builder, EventLog log) {
    return PlainMethods.addTo(builder, targets, log);
  }
}
