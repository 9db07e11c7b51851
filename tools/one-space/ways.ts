import type { Checkpoint } from "@isthmus/core";
import type { Architecture, DataSet } from "@isthmus/graph";
import type { Symmetries } from "@isthmus/symmetry";
import { align, alignMany, type LearnedChoice } from "@isthmus/weight-matching";

/** Examples, steps and seed of the ways that learn. */
export interface WayOptions {
  readonly data: DataSet;
  readonly examples: number;
  readonly steps: number;
  readonly seed: number;
  readonly symmetries: Symmetries;
}

/** Moves networks into one space, and returns all of them. */
export type Way = (
  architecture: Architecture,
  networks: readonly Checkpoint[],
  options: WayOptions,
) => Promise<readonly Checkpoint[]>;

const learned =
  (choice: (options: WayOptions) => Partial<LearnedChoice>): Way =>
  async (architecture, networks, options) => {
    const { data, examples, seed, symmetries } = options;
    const result = await alignMany(architecture, networks, {
      ...{ method: "learned" as const, data, seed, symmetries, proof: "outputs" as const },
      learning: { examples, ...choice(options) },
    });
    return result.networks;
  };

/** The ways, by name. */
export const WAYS: Readonly<Record<string, Way>> = {
  "as trained": async (_, networks) => networks,
  permuted: async (architecture, networks, { seed, symmetries }) => {
    const { networks: moved } = await alignMany(architecture, networks, {
      seed,
      symmetries,
      proof: "outputs",
    });
    return moved;
  },
  "closed form": learned(() => ({ steps: 0 })),
  "to the first": async (architecture, networks, { data, examples, steps, seed, symmetries }) => {
    const options = { data, examples, steps, seed, symmetries };
    const result = await align(architecture, networks, { ...options, method: "learned", proof: "outputs" });
    return result.networks;
  },
  jointly: learned(({ steps }) => ({ steps })),
  "jointly, as many gradients as to the first": learned(({ steps }) => ({ steps: 3 * steps })),
  "jointly, sampled": learned(({ steps }) => ({ steps, at: "sampled" })),
  "jointly, all move": learned(({ steps }) => ({ steps, ends: "both" })),
};
