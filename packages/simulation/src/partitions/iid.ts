import { cutEvenly, listPositions } from "./deal.ts";
import type { PartitionScheme } from "./partition-scheme.ts";

/** Examples are shuffled and dealt evenly: all clients are alike. */
export const iid: PartitionScheme<Record<never, never>> = {
  name: "iid",
  description: "Shuffles the examples and deals them evenly, so that clients differ by chance alone.",
  source: "McMahan et al., Communication-efficient learning of deep networks, 2017, section 3",
  anyLabels: true,
  parameters: {},
  split: ({ labels, clients }, _parameters, random) =>
    cutEvenly(random.shuffleInPlace(listPositions(labels.length)), clients).map((part) => part.sort()),
};
