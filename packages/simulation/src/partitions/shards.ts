import { at, InputError } from "@isthmus/core";
import { cutEvenly, joinPositions, listPositions, positionsByClass } from "./deal.ts";
import type { PartitionScheme } from "./partition-scheme.ts";

const PARAMETERS = {
  shards: {
    description: "Shards that each client gets; 2 of them hold about two classes.",
    of: "merge",
    default: 2,
    least: 1,
  },
} as const;

/**
 * Examples are sorted by class and cut into even shards, of which each client gets some at random, so that
 * most clients have examples of a few classes only. Within a class examples are shuffled.
 */
export const shards: PartitionScheme<typeof PARAMETERS> = {
  name: "shards",
  description: "Sorts the examples by class, cuts them into shards and deals each client a few.",
  source: "McMahan et al., Communication-efficient learning of deep networks, 2017, section 3",
  parameters: PARAMETERS,
  split({ labels, classes, clients }, { shards: perClient }, random) {
    const count = clients * Math.floor(perClient);
    if (count > labels.length) {
      throw new InputError(
        `Cannot divide examples over ${clients} clients by ${perClient} shards each as a shard must have one: there are ${labels.length} for ${count} shards; choose fewer`,
        { input: "examples" },
      );
    }
    const byClass = positionsByClass(labels, classes).map((positions) => random.shuffleInPlace(positions));
    const sorted = new Uint32Array(labels.length);
    let end = 0;
    for (const positions of byClass) {
      sorted.set(positions, end);
      end += positions.length;
    }
    const cut = cutEvenly(sorted, count);
    return cutEvenly(random.shuffleInPlace(listPositions(count)), clients).map((dealt) =>
      joinPositions(Array.from(dealt, (shard) => at(cut, shard))),
    );
  },
};
