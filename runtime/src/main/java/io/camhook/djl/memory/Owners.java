package io.camhook.djl.memory;

import ai.djl.Model;
import ai.djl.inference.Predictor;
import ai.djl.training.Trainer;
import java.lang.reflect.Field;

/** The models of predictors and trainers. */
public final class Owners {
  private final Field modelOfPredictor;

  public Owners() throws NoSuchFieldException {
    modelOfPredictor = Predictor.class.getDeclaredField("model");
    modelOfPredictor.setAccessible(true);
  }

  /**
   * The model.
   *
   * @param owner a {@code Predictor} or a {@code Trainer}
   */
  public Model modelOf(Object owner) {
    if (owner instanceof Trainer trainer) {
      return trainer.getModel();
    }
    try {
      return (Model) modelOfPredictor.get(owner);
    } catch (IllegalAccessException e) {
      throw new IllegalStateException("no access to Predictor.model", e);
    }
  }
}
