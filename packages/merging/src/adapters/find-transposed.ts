import { at, type Checkpoint, DTYPES, sizeOf, type TensorInfo } from "@isthmus/core";
import { moduleOf } from "./module-of.ts";

/** Checks whether a tensor can be the weight of a linear layer or embedding. */
export function isMatrix(name: string, { shape, dtype }: TensorInfo): boolean {
  return shape.length === 2 && sizeOf(shape) > 0 && name.endsWith(".weight") && DTYPES[dtype].float;
}

/**
 * Makes a test for whether a matrix is stored as `[in, out]`, as `Conv1D` of GPT-2 stores it, by the length
 * of its bias. The bias of a square matrix does not tell: it is taken to be stored like the other matrices of
 * its name, else like those beside it.
 * @returns a function that takes the name of a matrix, and returns undefined if nothing tells
 */
export function findTransposed({ tensors }: Checkpoint): (name: string) => boolean | undefined {
  const transposed = new Map<string, boolean>();
  const note = (name: string, isSo: boolean) => {
    const module = moduleOf(name);
    for (const key of [name, lastOf(module), `${moduleOf(module)}.`])
      transposed.set(key, transposed.get(key) ?? isSo);
  };
  for (const [name, info] of tensors) {
    const bias = tensors.get(`${moduleOf(name)}.bias`)?.shape;
    if (!isMatrix(name, info) || bias?.length !== 1) continue;
    const [rows, columns] = [at(info.shape, 0, "extent"), at(info.shape, 1, "extent")];
    if (rows === columns) continue;
    if (at(bias, 0, "extent") === columns) note(name, true);
    else if (at(bias, 0, "extent") === rows) note(name, false);
  }
  return (name) => {
    const module = moduleOf(name);
    const keys = [name, lastOf(module), `${moduleOf(module)}.`];
    const key = keys.find((one) => transposed.has(one));
    return key === undefined || !tensors.has(`${module}.bias`) ? undefined : transposed.get(key);
  };
}

const lastOf = (module: string): string => module.slice(module.lastIndexOf(".") + 1);
