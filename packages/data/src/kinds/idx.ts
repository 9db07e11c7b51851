import { at } from "@isthmus/core";
import { openArrays } from "../open-arrays.ts";
import { readIdx } from "../read-idx.ts";
import type { DataKind } from "./data-kind.ts";

/** Pairs of IDX files, the format MNIST is published in. */
export const idxKind: DataKind = {
  name: "idx",
  forms: [
    {
      form: "idx:IMAGES,LABELS",
      what: "a pair of IDX files, plain or gzip",
      example: "idx:images.gz,labels.gz@1000",
    },
  ],
  place: "two files with one comma between them",
  endings: ["-ubyte", "-ubyte.gz", ".idx"],
  splits: [],
  async open(name, options) {
    const [inputs, labels] = [at(name.paths, 0, "path"), at(name.paths, 1, "path")];
    return openArrays(name, { inputs: await readIdx(inputs), labels: await readIdx(labels) }, options);
  },
};
