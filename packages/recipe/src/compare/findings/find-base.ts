import { at } from "@isthmus/core";
import { MERGE_METHODS } from "@isthmus/merging";
import type { NetworkComparison, TaskVectors } from "../comparison.ts";
import { findParents } from "../made-of.ts";
import { KINSHIP } from "../thresholds.ts";
import { type JudgedMerge, type MergeFinding, nameNetwork, nameNetworks } from "./merge-finding.ts";

/** Cosine of two steps from a base below which they undo each other. */
const OPPOSED = -0.1;

/** Finds problems of the base: it is missing, it is not the base of these networks, or it is one of them. */
export function findBase(comparison: NetworkComparison, merge: JudgedMerge): MergeFinding[] {
  return [
    ...findMissing(comparison, merge),
    ...findUnrelated(comparison),
    ...findRecognised(comparison, merge),
    ...findChildren(comparison),
    ...(comparison.taskVectors === null ? [] : findOpposed(comparison, comparison.taskVectors)),
  ];
}

const needsBase = (method: string | undefined) =>
  method !== undefined && MERGE_METHODS.get(method)?.networks.base === "required";

function findMissing(comparison: NetworkComparison, { method, hasBase }: JudgedMerge): MergeFinding[] {
  if (!needsBase(method) || hasBase) return [];
  const guess = comparison.taskVectors;
  return [
    {
      kind: "base-missing",
      severity: "error",
      networks: [],
      message: `${method} merges what networks learned since their base, and no base is given`,
      advice:
        guess === null
          ? "name the base as base_model (in a script: base)"
          : `name the base as base_model: it looks as if it were ${nameNetwork(comparison, guess.base)}`,
    },
  ];
}

function findUnrelated(comparison: NetworkComparison): MergeFinding[] {
  const { base, pairs } = comparison;
  if (base === null) return [];
  const strangers = pairs
    .filter(({ a, b, kinship }) => (a === base || b === base) && kinship !== null && kinship < KINSHIP.least)
    .map(({ a, b }) => (a === base ? b : a));
  if (strangers.length === 0) return [];
  return [
    {
      kind: "base-unrelated",
      severity: "error",
      networks: [...strangers, base],
      message: `${nameNetworks(comparison, strangers)} ${strangers.length === 1 ? "was" : "were"} not made from ${nameNetwork(comparison, base)}: the steps from it are as long as weights themselves`,
      advice:
        "name the network that they were fine-tuned from as base_model, or use a method without base (--method linear)",
    },
  ];
}

function findRecognised(comparison: NetworkComparison, { hasBase }: JudgedMerge): MergeFinding[] {
  const { taskVectors } = comparison;
  if (taskVectors === null || !taskVectors.guessed || hasBase) return [];
  const { base, networks } = taskVectors;
  return [
    {
      kind: "base-recognised",
      severity: "note",
      networks: [base],
      message: `${nameNetwork(comparison, base)} looks like the base of ${nameNetworks(comparison, networks)}: seen from it, their steps are the furthest apart`,
      advice:
        "give it as base_model, and to isthmus compare as --base; a mean with it only shortens every step",
    },
  ];
}

/** Finds networks that were made of others of the comparison, by the record in their metadata. */
function findChildren(comparison: NetworkComparison): MergeFinding[] {
  const { networks, base } = comparison;
  return [...networks.keys()].flatMap((child): MergeFinding[] => {
    const parents = findParents(networks, child).filter((parent) => parent !== base);
    if (parents.length === 0) return [];
    return [
      {
        kind: "made-of-others",
        severity: "warning",
        networks: [child],
        message: `${nameNetwork(comparison, child)} was made of ${nameNetworks(comparison, parents)}, as its metadata record`,
        advice: "leave it out: it is no base of theirs, and a merge with it counts them twice",
      },
    ];
  });
}

function findOpposed(comparison: NetworkComparison, { networks, cosines }: TaskVectors): MergeFinding[] {
  return networks.flatMap((a, i) =>
    networks.slice(i + 1).flatMap((b, k): MergeFinding[] => {
      const cosine = at(at(cosines, i, "row"), i + 1 + k, "cosine");
      if (cosine >= OPPOSED) return [];
      return [
        {
          kind: "opposed-steps",
          severity: "note",
          networks: [a, b],
          message: `what ${nameNetworks(comparison, [a, b])} learned since the base points apart (cosine ${cosine.toFixed(2)})`,
          advice: "their mean undoes a part of both: isthmus compare advises a method",
        },
      ];
    }),
  );
}
