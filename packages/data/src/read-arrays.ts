import type { Tensor } from "@isthmus/core";
import type { Examples } from "./examples.ts";
import { type ArrayRequest, pickArrays } from "./read-npz.ts";

/**
 * Reads the arrays of a file that a request picks, in their stored form.
 * @throws InputError if there are no inputs
 * @throws FormatError if an array is damaged
 */
export async function readArrays(
  names: readonly string[],
  read: (name: string) => Promise<Tensor>,
  request: ArrayRequest,
): Promise<Examples> {
  const picked = pickArrays(names, request);
  const features = new Map<string, Tensor>();
  for (const [name, stored] of picked.features) features.set(name, await read(stored));
  const { inputName, labels } = picked;
  const labelled = labels === undefined ? {} : { labels: await read(labels), labelName: labels };
  return { inputs: await read(picked.inputs), storedName: picked.inputs, inputName, features, ...labelled };
}
