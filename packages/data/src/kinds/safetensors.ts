import { at, openCheckpoint } from "@isthmus/core";
import { PAIRS_SETTING } from "../array-objective.ts";
import { openArrays } from "../open-arrays.ts";
import { readArrays } from "../read-arrays.ts";
import { splitsOf } from "../read-npz.ts";
import type { DataKind } from "./data-kind.ts";

/** Tensors of a safetensors file. */
export const safetensorsKind: DataKind = {
  name: "safetensors",
  forms: [
    {
      form: "safetensors:FILE",
      what: "tensors, named as the arrays of `npz:FILE`",
      example: "safetensors:parity.safetensors",
    },
  ],
  place: "a file",
  endings: [".safetensors"],
  settings: PAIRS_SETTING,
  splits: ["test", "train"],
  async findSplits({ paths }) {
    await using checkpoint = await openCheckpoint(at(paths, 0, "path"));
    return splitsOf([...checkpoint.tensors.keys()]);
  },
  async listFiles(path) {
    await using checkpoint = await openCheckpoint(path);
    return checkpoint.files;
  },
  async open(name, options) {
    const file = at(name.paths, 0, "path");
    await using checkpoint = await openCheckpoint(file);
    const request = { split: name.split, file, graphInputs: options.inputs, graphOutputs: options.outputs };
    const names = [...checkpoint.tensors.keys()];
    return openArrays(name, await readArrays(names, (key) => checkpoint.read(key), request), options);
  },
};
