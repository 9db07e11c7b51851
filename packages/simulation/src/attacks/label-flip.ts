import type { DataAttack } from "./attack.ts";

/** Attackers train on labels in the reverse order: with ten classes, 0 is relabelled as 9, and 9 as 0. */
export const labelFlip: DataAttack<Record<never, never>> = {
  kind: "data",
  name: "label-flip",
  description: "Trains on labels in the reverse order, as honestly as can be.",
  source: "Allen-Zhu et al., Byzantine-resilient non-convex SGD, 2020; byzfl 0.0.11 Client",
  parameters: {},
  relabel: (label, classes) => classes - 1 - label,
};
