import type { Graph } from "@isthmus/graph";
import type { MaskInput } from "./mask-input.ts";

/** A graph as it is trained. */
export interface TrainingMode {
  /** Typed; also has an output for every statistic that changes. */
  readonly graph: Graph;
  /** Output that holds the next value of each statistic, by the weight that holds its last one. */
  readonly statistics: ReadonlyMap<string, string>;
  /** Data inputs that dropout needs. */
  readonly masks: readonly MaskInput[];
}
