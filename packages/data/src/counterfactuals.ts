import type { DataSet } from "@isthmus/graph";
import type { PlantCueOptions } from "./cue-options.ts";
import { plantCue } from "./plant-cue.ts";

/** Names of the data sets that show whether a network predicts by the cue, see {@link counterfactuals}. */
export const COUNTERFACTUALS = ["cue", "no cue", "random cue", "random image"] as const;

/** Name of a data set of {@link counterfactuals}. */
export type Counterfactual = (typeof COUNTERFACTUALS)[number];

/**
 * Returns the data sets that show whether a network predicts by a cue or by the image: with the right cue;
 * without a cue, as in the original data; with the cue of a random class, on which a network that uses the
 * cue fails; and with images of other examples, on which only a network that uses the cue succeeds.
 * @throws UnsupportedError, OutOfRangeError as `plantCue`
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createTensor } from "@isthmus/core";
 * import { counterfactuals, createDataSet } from "@isthmus/data";
 *
 * const images = createTensor("f32", [2, 1, 4, 4], new Float32Array(32));
 * const sets = counterfactuals(createDataSet(images, Int32Array.of(0, 1)), { kind: "grey" });
 * assert.deepEqual(Object.keys(sets), ["cue", "no cue", "random cue", "random image"]);
 * assert.equal(sets["random cue"].name, "data+cue=grey:random-cue");
 * ```
 */
export function counterfactuals(
  data: DataSet,
  cue: Omit<PlantCueOptions, "variant"> = {},
): Readonly<Record<Counterfactual, DataSet>> {
  return {
    cue: plantCue(data, cue),
    "no cue": data,
    "random cue": plantCue(data, { ...cue, variant: "random-cue" }),
    "random image": plantCue(data, { ...cue, variant: "random-image" }),
  };
}
