import type { Tensor } from "@isthmus/core";

/** What a file of a data set holds, as it is stored. */
export interface Examples {
  /** `[n, ...]` */
  readonly inputs: Tensor;
  /** `[n]` or `[n, 1]`, of any integer type. */
  readonly labels: Tensor;
}
