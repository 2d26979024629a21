package io.camhook.samples.shapes;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.dataset.BatchSampler;
import ai.djl.training.dataset.RandomAccessDataset;
import ai.djl.training.dataset.Record;
import ai.djl.training.dataset.SequenceSampler;
import ai.djl.util.Progress;
import io.camhook.samples.pictures.DrawnPicture;
import io.camhook.samples.pictures.PictureGenerator;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Pictures with one object each, drawn when they are asked for, in the order of their index; whole,
 * or cut to a square around the object.
 */
final class PictureDataset extends RandomAccessDataset {
  private final PictureGenerator generator;
  private final long size;
  private final int side;

  /**
   * @param side width and height of the pictures; below {@link PictureGenerator#SIZE} they are cut
   */
  PictureDataset(long seed, long size, int batchSize, int side) {
    super(new Builder().setSampling(new BatchSampler(new SequenceSampler(), batchSize, true)));
    this.generator = new PictureGenerator(seed);
    this.size = size;
    this.side = side;
  }

  @Override
  public Record get(NDManager manager, long index) {
    DrawnPicture picture = generator.picture(index).around(side);
    NDArray pixels =
        manager.create(
            ByteBuffer.wrap(picture.rgb()),
            new Shape(picture.height(), picture.width(), 3),
            DataType.UINT8);
    NDArray label = manager.create(picture.objects().get(0).shape().ordinal());
    return new Record(new NDList(ShapesTranslator.normalise(pixels)), new NDList(label));
  }

  @Override
  protected long availableSize() {
    return size;
  }

  @Override
  public void prepare(@Nullable Progress progress) {
    // nothing to download
  }

  private static final class Builder extends BaseBuilder<Builder> {
    @Override
    protected Builder self() {
      return this;
    }
  }
}
