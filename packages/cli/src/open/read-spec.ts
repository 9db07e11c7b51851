import { readJsonFile } from "@isthmus/core";
import type { Graph } from "@isthmus/graph";
import { assertFits, decodeSpec, type SymmetrySpec } from "@isthmus/symmetry";

/**
 * Reads the symmetries of a graph from a file that was written by hand or saved.
 * @throws InputError if the file cannot be read
 * @throws FormatError if it has no valid symmetries; it says where
 * @throws MismatchError if they move weights that the graph does not have, or has in another shape
 */
export async function readSpec(path: string, { name, weights }: Graph): Promise<SymmetrySpec> {
  const spec = decodeSpec(await readJsonFile(path), path);
  assertFits({ source: name, tensors: weights }, spec);
  return spec;
}
