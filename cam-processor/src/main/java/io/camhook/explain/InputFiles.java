package io.camhook.explain;

import io.camhook.recording.DType;
import io.camhook.recording.RecordingException;
import io.camhook.recording.Safetensors;
import io.camhook.recording.Tensor;
import io.camhook.render.Picture;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The files that inputs are read from: pictures, texts, directories of pictures or texts, and
 * {@code .safetensors} with a tensor {@code input} or tensors {@code input0}, {@code input1} …, and
 * optionally the picture that they were made from, a uint8 {@code image} {@code [H,W,3]}.
 * Immutable.
 */
public final class InputFiles {
  private static final String TENSORS = ".safetensors";
  private static final String TEXT = ".txt";
  private static final String IMAGES = "image\\d*";
  private static final Set<String> PICTURES = Set.of(".png", ".jpg", ".jpeg", ".gif", ".bmp");

  private final List<Entry> entries;
  private final Preprocessing preprocessing;
  private final @Nullable TextTokenizer tokenizer;

  private record Entry(String name, Path file) {}

  private InputFiles(
      List<Entry> entries, Preprocessing preprocessing, @Nullable TextTokenizer tokenizer) {
    this.entries = entries;
    this.preprocessing = preprocessing;
    this.tokenizer = tokenizer;
  }

  /**
   * Finds the files; none is read yet.
   *
   * @param preprocessing how pictures are preprocessed
   * @throws ExplainException if a path does not exist or a directory holds no picture and no text
   */
  public static InputFiles of(List<Path> paths, Preprocessing preprocessing) throws IOException {
    Set<String> names = new HashSet<>();
    List<Entry> entries = new ArrayList<>();
    for (Path path : paths) {
      for (Path file : files(path)) {
        entries.add(new Entry(unique(stem(file), names), file));
      }
    }
    return new InputFiles(List.copyOf(entries), preprocessing, null);
  }

  private static List<Path> files(Path path) throws IOException {
    if (!Files.exists(path)) {
      throw new ExplainException(path + ": no such file or directory");
    }
    if (!Files.isDirectory(path)) {
      return List.of(path);
    }
    try (Stream<Path> files = Files.list(path)) {
      List<Path> all = files.filter(Files::isRegularFile).sorted().toList();
      List<Path> found = all.stream().filter(file -> PICTURES.contains(suffix(file))).toList();
      if (found.isEmpty()) {
        found = all.stream().filter(file -> suffix(file).equals(TEXT)).toList();
      }
      if (found.isEmpty()) {
        throw new ExplainException(
            path
                + ": the directory holds no picture (png, jpg, jpeg, gif, bmp), and no text (txt)");
      }
      return found;
    }
  }

  private static String unique(String stem, Set<String> names) {
    String name = stem;
    for (int n = 2; !names.add(name); n++) {
      name = stem + "-" + n;
    }
    return name;
  }

  private static String stem(Path file) {
    String name = String.valueOf(file.getFileName());
    int dot = name.lastIndexOf('.');
    return dot > 0 ? name.substring(0, dot) : name;
  }

  private static String suffix(Path file) {
    String name = String.valueOf(file.getFileName());
    int dot = name.lastIndexOf('.');
    return dot < 0 ? "" : name.substring(dot).toLowerCase(Locale.ROOT);
  }

  /** The same files with other preprocessing of pictures. */
  public InputFiles with(Preprocessing other) {
    return new InputFiles(entries, other, tokenizer);
  }

  /** The same files with texts read by a tokenizer, which the caller must still close. */
  public InputFiles with(@Nullable TextTokenizer other) {
    return new InputFiles(entries, preprocessing, other);
  }

  /** Number of inputs. */
  public int size() {
    return entries.size();
  }

  /** Name of an input: that of its file without suffix, with a number if two are the same. */
  public String name(int index) {
    return entries.get(index).name();
  }

  /**
   * Reads a file. A file of tensors with a batch dimension holds that many inputs, numbered from 0.
   *
   * @throws ExplainException if the file is neither a picture nor a file of input tensors
   */
  public List<ModelInput> read(int index) throws IOException {
    Entry entry = entries.get(index);
    return switch (suffix(entry.file())) {
      case TENSORS -> samples(tensors(entry));
      case TEXT -> List.of(text(entry));
      default -> List.of(picture(entry));
    };
  }

  private ModelInput text(Entry entry) throws IOException {
    if (tokenizer == null) {
      throw new ExplainException(
          entry.file()
              + ": a text needs the model's tokenizer; name its tokenizer.json with --tokenizer");
    }
    return tokenizer.input(entry.name(), Files.readString(entry.file()));
  }

  /**
   * Whether the first file holds integers, such as the token ids of a text: what models of words
   * take.
   */
  public boolean areWords() throws IOException {
    if (entries.isEmpty()) {
      return false;
    }
    return switch (suffix(entries.get(0).file())) {
      case TEXT -> true;
      case TENSORS -> ExplainedInputs.areWords(tensors(entries.get(0)).tensors());
      default -> false;
    };
  }

  private static List<ModelInput> samples(ModelInput batch) {
    Tensor first = batch.tensors().get(0);
    long n = first.rank() == 0 ? 1 : first.size(0);
    boolean same = batch.tensors().stream().allMatch(t -> t.rank() > 0 && t.size(0) == n);
    if (n <= 1 || !same) {
      return List.of(batch);
    }
    List<ModelInput> samples = new ArrayList<>();
    for (int i = 0; i < n; i++) {
      int row = i;
      List<Tensor> rows = batch.tensors().stream().map(t -> row(t, row)).toList();
      samples.add(
          new ModelInput(batch.name() + "-" + i, rows, batch.names(), null, null, List.of()));
    }
    return samples;
  }

  private static Tensor row(Tensor batch, int index) {
    long[] shape = batch.shape();
    shape[0] = 1;
    int bytes = Math.toIntExact(batch.byteSize() / batch.size(0));
    return new Tensor(batch.dtype(), shape, batch.data().slice(index * bytes, bytes));
  }

  private ModelInput picture(Entry entry) throws IOException {
    Preprocessing.Fed fed = preprocessing.feed(PictureFile.read(entry.file()));
    return new ModelInput(
        entry.name(),
        List.of(fed.tensor()),
        List.of("input"),
        fed.picture(),
        fed.frame(),
        List.of());
  }

  private static ModelInput tensors(Entry entry) throws IOException {
    Safetensors blob;
    try {
      blob = Safetensors.read(entry.file());
    } catch (RecordingException e) {
      throw new ExplainException(String.valueOf(e.getMessage()), e);
    }
    Map<String, Tensor> found = blob.tensors();
    List<String> names = new ArrayList<>();
    if (found.containsKey("input")) {
      names.add("input");
    } else {
      for (int i = 0; found.containsKey("input" + i); i++) {
        names.add("input" + i);
      }
    }
    if (names.isEmpty()) { // these are then names of the model's own parameters
      found.keySet().stream().filter(name -> !name.matches(IMAGES)).sorted().forEach(names::add);
    }
    if (names.isEmpty()) {
      throw new ExplainException(
          "%s: expected a tensor 'input', or 'input0', 'input1' and so on, or tensors named as the model's parameters, found %s"
              .formatted(entry.file(), found.keySet().stream().limit(5).toList()));
    }
    return new ModelInput(
        entry.name(),
        names.stream().map(found::get).map(Objects::requireNonNull).toList(),
        names,
        picture(found.get("image")),
        null,
        List.of());
  }

  /** A uint8 {@code image} beside the inputs is what they show. */
  private static @Nullable Picture picture(@Nullable Tensor image) {
    if (image == null || image.dtype() != DType.U8 || image.rank() != 3 || image.size(2) != 3) {
      return null;
    }
    byte[] rgb = new byte[Math.toIntExact(image.elements())];
    image.data().get(rgb);
    return new Picture(Math.toIntExact(image.size(1)), Math.toIntExact(image.size(0)), rgb);
  }
}
