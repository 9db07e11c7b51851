import type { Tensor } from "@isthmus/core";

/** Contents of a file of a data set, in their stored form. */
export interface Examples {
  /** Inputs, `[n, ...]`. */
  readonly inputs: Tensor;
  /**
   * Labels, `[n, ...]`, classes or numbers; absent if the inputs are texts without labels, or their own
   * targets.
   */
  readonly labels?: Tensor | undefined;
  /** Name of the labels in the file; absent if the file has no names. */
  readonly labelName?: string | undefined;
  /** Name of the inputs in the file, with the split; absent if the file has no names. */
  readonly storedName?: string | undefined;
  /** Name of the inputs without the split; absent if the file has no names. */
  readonly inputName?: string | undefined;
  /** Further arrays `[n, ...]` by their names without the split. @defaultValue none */
  readonly features?: ReadonlyMap<string, Tensor>;
}
