import type { Tensor, TensorInfo } from "@isthmus/core";

/** A batch of examples of a data set, ready to be fed. */
export interface Batch {
  /** Inputs, `[batch, ...exampleShape]`: f32 scaled as the networks expect, or integers such as token ids. */
  readonly inputs: Tensor;
  /**
   * Further arrays of the same examples by name, `[batch, ...]` each, such as an
   * attention mask. @defaultValue none
   */
  readonly features?: ReadonlyMap<string, Tensor>;
  /**
   * Class of each example, `[batch]`, 0-based; for text, the next token. Depending on
   * {@link DataSet.labelling}, the class of each position of each example, `[batch, length]`, or of each
   * pixel, `[batch, height, width]`, row-major; a negative number if the position does not count. Empty if
   * there are no classes.
   */
  readonly labels: Int32Array;
}

/**
 * Subject of the labels of a data set: `example` for whole examples; `position` for each position of an
 * example; `next` for each position, whose label is to be predicted at the position before it, as language
 * models are trained; `pixel` for each pixel of an image, or place of a grid of any rank; `none` if there are
 * no labels, or if labels are not classes, such as {@link DataSet.targets}.
 */
export type Labelling = "example" | "position" | "next" | "pixel" | "none";

/**
 * Scaling of bytes to the inputs of a network: `(byte / 255 - mean) / std`, with the same numbers for all
 * channels or one for each.
 */
export interface Scaling {
  /** Mean of the training set's pixels, in `[0, 1]`, or one for each channel; 0 leaves them in `[0, 1]`. */
  readonly mean: number | readonly number[];
  /** Standard deviation of the training set's pixels, or one for each channel; 1 leaves them in `[0, 1]`. */
  readonly std: number | readonly number[];
}

/** Labelled examples in a fixed order. Normalisation is part of the data set. */
export interface DataSet {
  /** Name in the form that the user wrote, for example `mnist:test@1000`. */
  readonly name: string;
  /** Number of examples. */
  readonly size: number;
  /** Shape of one example without the batch axis, for example `[1, 28, 28]`. */
  readonly exampleShape: readonly number[];
  /**
   * Name of the array of inputs, such as `input_ids`, which is matched with inputs of a graph; absent if the
   * array has no name.
   */
  readonly inputName?: string | undefined;
  /**
   * Type and shape of one example, without the batch axis, of each further array by
   * its name. @defaultValue none
   */
  readonly features?: ReadonlyMap<string, TensorInfo>;
  /** Subject of the labels. @defaultValue "example" */
  readonly labelling?: Labelling;
  /** Description of labels that are not classes, for messages; absent unless {@link labelling} is `none`. */
  readonly unlabelled?: string;
  /**
   * Name of the one of {@link features} that contains labels which are not classes, such as numbers to be
   * approximated; absent if there are none.
   */
  readonly targets?: string;
  /**
   * Number of classes: one more than the largest label; for text, the size of the vocabulary; 0 if there are
   * no classes.
   */
  readonly classes: number;
  /** Text of each token, `[classes]`; for text only. */
  readonly vocabulary?: readonly string[];
  /** Scaling that was applied to bytes; absent if inputs are not scaled. */
  readonly scaling?: Scaling | undefined;
  /**
   * Sentences on how the examples were derived from the stored data, such as the size to which images were
   * resized. @defaultValue none
   */
  readonly notes?: readonly string[];
  /**
   * Reads examples `[begin, end)`.
   * @throws OutOfRangeError if the range is not within the data set
   */
  read(begin: number, end: number): Batch;
  /**
   * Reads the examples at `indices`, in that order and with repetitions, into a batch of the same size that
   * {@link read} returned; absent if examples can only be read one by one.
   * @throws OutOfRangeError if an index is not within the data set, or `out` is of another size or
   *   element type
   */
  readonly gatherInto?: (indices: Uint32Array, out: Batch) => Batch;
}
