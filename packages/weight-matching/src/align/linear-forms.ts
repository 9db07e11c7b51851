import { UnsupportedError } from "@isthmus/core";
import type { Architecture } from "@isthmus/graph";
import { discoverLinearSymmetries, isLarge, type LinearKind, type Symmetries } from "@isthmus/symmetry";
import type { Normalization } from "./aligned-network.ts";
import type { Normalizing } from "./prove-alignment.ts";

/** Symmetries beyond permutation that are undone. */
export interface LinearFormOptions {
  /** Kinds of symmetries to undo. @defaultValue none */
  readonly normalize?: readonly LinearKind[] | undefined;
  /** Signal that stops the discovery. @defaultValue never stopped */
  readonly signal?: AbortSignal | undefined;
}

/** Discovers scales, signs and rotations if any are to be undone. */
export async function discoverForms(
  { graph, engine, narrow }: Architecture,
  symmetries: Symmetries,
  { normalize, signal }: LinearFormOptions,
): Promise<Normalizing | undefined> {
  if (normalize === undefined) return undefined;
  if (narrow !== undefined && isLarge(graph)) {
    throw new UnsupportedError(
      `Cannot normalize "${graph.name}" as canonical forms are proved by running the network: it has more than 2^27 weights; leave --normalize out`,
      { feature: "normalize" },
    );
  }
  return {
    kinds: normalize,
    linear: await discoverLinearSymmetries({ graph, engine }, symmetries, { signal }),
  };
}

/** Counts the scales, signs and rotations that are undone. */
export function countForms({ kinds, linear }: Normalizing): Omit<Normalization, "distance"> {
  const count = (kind: LinearKind, number: number) => (kinds.includes(kind) ? number : 0);
  return {
    kinds,
    scales: count("scale", linear.scales.variables),
    signs: count("sign", linear.signs.variables),
    rotations: count("rotation", linear.rotations.length),
  };
}
