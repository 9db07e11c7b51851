import { at } from "@isthmus/core";
import { openArrays } from "../open-arrays.ts";
import { readNpy } from "../read-npy.ts";
import type { DataKind } from "./data-kind.ts";

/** Pairs of NumPy files with one array each. */
export const npyKind: DataKind = {
  name: "npy",
  forms: [
    {
      form: "npy:INPUTS,LABELS",
      what: "a pair of NumPy files, of one array each",
      example: "npy:x_test.npy,y_test.npy@1000",
    },
  ],
  place: "two files with one comma between them",
  splits: [],
  async open(name, options) {
    const [inputs, labels] = [at(name.paths, 0, "path"), at(name.paths, 1, "path")];
    return openArrays(name, { inputs: await readNpy(inputs), labels: await readNpy(labels) }, options);
  },
};
