import { at, type Checkpoint } from "@isthmus/core";
import { align, alignMany } from "@isthmus/weight-matching";
import { alignsMany, manyLearningOf, manyMatchingOf } from "../options/many-options.ts";
import { matchingOf } from "../options/match-options.ts";
import { followAlignment } from "../terminal/follow-alignment.ts";
import type { Context } from "../verb.ts";
import type { MergeAlignment } from "./describe-merge.ts";
import type { MergeOptions } from "./merge-options.ts";
import type { OpenedNetworks } from "./open-networks.ts";

/** Networks in the coordinates of one of them, and the alignments that put them there. */
interface AlignedForMerge {
  readonly networks: readonly Checkpoint[];
  readonly alignments: readonly MergeAlignment[];
}

/** Aligns the checkpoints to each other, if `--align` asks for it. */
export async function alignNetworks(
  { architecture, data, networks }: OpenedNetworks,
  paths: readonly string[],
  options: MergeOptions,
  context: Context,
): Promise<AlignedForMerge> {
  if (!options.align || architecture === undefined) return { networks, alignments: [] };
  const following = followAlignment(options.method, context);
  if (alignsMany(paths, options) && options.method === "learned") {
    const learned = await alignMany(architecture, architecture.networks, {
      ...manyLearningOf(options, data, paths.length),
      ...following,
    });
    const { objective, seed, reference } = learned.match;
    const of = { method: "learned", objective, seed, reference: at(paths, reference, "reference") } as const;
    return {
      networks: learned.aligned.map(({ network }) => network),
      alignments: learned.aligned.flatMap(({ summary }, i) =>
        i === reference ? [] : [{ checkpoint: at(paths, i, "path"), ...of, ...summary }],
      ),
    };
  }
  if (alignsMany(paths, options) && options.method !== "straight-through") {
    const matching = manyMatchingOf(options, data, paths.length);
    const { aligned, match } = await alignMany(architecture, architecture.networks, {
      ...matching,
      ...following,
    });
    const many = { many: match.many, reference: at(paths, match.reference, "reference") };
    return {
      networks: aligned.map(({ network }) => network),
      alignments: aligned.flatMap(({ summary }, i) =>
        i === match.reference ? [] : [{ checkpoint: at(paths, i, "path"), ...many, ...summary }],
      ),
    };
  }
  const { aligned } = await align(architecture, architecture.networks, {
    ...matchingOf(options, data),
    ...following,
  });
  return {
    networks: [at(networks, 0, "network"), ...aligned.map(({ network }) => network)],
    alignments: aligned.map(({ summary }, i) => ({ checkpoint: at(paths, i + 1, "path"), ...summary })),
  };
}
