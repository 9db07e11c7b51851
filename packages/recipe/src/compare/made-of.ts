import { type Checkpoint, parseJson } from "@isthmus/core";
import { basename, encodeUtf8 } from "@isthmus/platform";
import type { NetworkTraits } from "./comparison.ts";

/**
 * Reads the names of the networks that a network was made of, from the record that Isthmus writes to the
 * metadata of merges and of other results.
 * @returns names without folders; empty if the metadata have no such record
 */
export function readInputs({ metadata: { isthmus: record } }: Checkpoint): readonly string[] {
  if (record === undefined) return [];
  try {
    const value = parseJson(encodeUtf8(record), { attempt: "read the record of a network" });
    const { inputs } = (value ?? {}) as { readonly inputs?: unknown };
    if (!Array.isArray(inputs)) return [];
    return inputs
      .map((input: unknown) => (input as { readonly source?: unknown } | null)?.source ?? input)
      .filter((name) => typeof name === "string");
  } catch {
    // The metadata are of another program, and say nothing of inputs.
    return [];
  }
}

/**
 * Lists the positions of the networks of which another one was made, by the names in its record.
 * @param networks - all networks that are compared
 * @param position - position of the network that may be made of others
 */
export function findParents(
  networks: readonly Pick<NetworkTraits, "source" | "madeOf">[],
  position: number,
): readonly number[] {
  const names = new Set(networks[position]?.madeOf);
  return [...networks.keys()].filter(
    (other) => other !== position && names.has(basename(networks[other]?.source ?? "")),
  );
}
