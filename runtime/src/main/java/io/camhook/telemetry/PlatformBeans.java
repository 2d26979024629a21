package io.camhook.telemetry;

import java.lang.management.ManagementFactory;
import javax.management.JMException;
import javax.management.ObjectName;
import javax.management.StandardMBean;

/** MXBeans of the JVM's own server. */
final class PlatformBeans {
  private PlatformBeans() {}

  /**
   * Registers a bean.
   *
   * @throws IllegalStateException if there is already one with that name
   */
  static <T> void register(String name, T bean, Class<T> type) {
    try {
      ManagementFactory.getPlatformMBeanServer()
          .registerMBean(new StandardMBean(bean, type, true), new ObjectName(name));
    } catch (JMException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Undoes {@link #register}. */
  static void unregister(String name) {
    try {
      ManagementFactory.getPlatformMBeanServer().unregisterMBean(new ObjectName(name));
    } catch (JMException e) {
      throw new IllegalStateException(e);
    }
  }
}
