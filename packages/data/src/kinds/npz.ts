import { at } from "@isthmus/core";
import { PAIRS_SETTING } from "../array-objective.ts";
import { openArrays } from "../open-arrays.ts";
import { readArrays } from "../read-arrays.ts";
import { openNpz, splitsOf } from "../read-npz.ts";
import type { DataKind } from "./data-kind.ts";

/** Arrays of NumPy. */
export const npzKind: DataKind = {
  name: "npz",
  forms: [
    {
      form: "npz:FILE",
      what: "arrays of NumPy under usual names, such as `x` and `y` or `x_test` and `y_test`, or under the names of the graph's inputs; `,pairs=32` behind the file compares so many images and texts with each other, else 8",
      example: "npz:digits.npz:test@1000",
    },
  ],
  place: "a file",
  endings: [".npz"],
  settings: PAIRS_SETTING,
  splits: ["test", "train"],
  findSplits: async ({ paths }) => splitsOf((await openNpz(at(paths, 0, "path"))).names),
  async open(name, options) {
    const file = at(name.paths, 0, "path");
    const { names, read } = await openNpz(file);
    const request = { split: name.split, file, graphInputs: options.inputs, graphOutputs: options.outputs };
    return openArrays(name, await readArrays(names, read, request), options);
  },
};
