import type { NetworkComparison, NetworkTraits } from "../comparison.ts";
import { type JudgedMerge, listSome, type MergeFinding, nameNetwork, nameNetworks } from "./merge-finding.ts";

/**
 * Least number of matrices with few values, and least share of all matrices, in a network that is called
 * coarse.
 */
const [COARSE_MATRICES, COARSE_SHARE] = [2, 0.5];

/** Finds networks that do not merge well: packed or rounded ones, adapters and damaged ones. */
export function findTraits(comparison: NetworkComparison, merge: JudgedMerge): MergeFinding[] {
  const findings = comparison.networks.flatMap((traits, index) => {
    const name = nameNetwork(comparison, index);
    return [
      ...findQuantized(traits, index, name),
      ...findNonFinite(traits, index, name),
      ...findUntied(traits, index, name),
      ...findUnmerged(traits, index, name),
    ];
  });
  return [...findings, ...findAdapters(comparison, merge), ...findTies(comparison), ...findChat(comparison)];
}

function findQuantized(
  { quantized, coarse, dtypes }: NetworkTraits,
  index: number,
  name: string,
): MergeFinding[] {
  if (quantized !== null) {
    return [
      {
        kind: "quantized",
        severity: "error",
        networks: [index],
        message: `the weights of ${name} are codes of few bits (${quantized.scheme}, "${quantized.tensor}"), whose means mean nothing`,
        advice: "merge the networks before quantisation, and quantise the result",
      },
    ];
  }
  const findings: MergeFinding[] = [];
  const bytes = (dtypes.f8e4m3 ?? 0) + (dtypes.f8e5m2 ?? 0);
  if (bytes > 0) {
    findings.push({
      kind: "eight-bit-floats",
      severity: "warning",
      networks: [index],
      message: `${bytes} tensors of ${name} are floats of 8 bits without scales: the result would be rounded as coarsely`,
      advice: "write the result in a wider type: --dtype bf16 (in a recipe: out_dtype: bfloat16)",
    });
  }
  if (bytes === 0 && coarse.matrices >= COARSE_MATRICES && coarse.matrices >= COARSE_SHARE * coarse.of) {
    findings.push({
      kind: "coarse",
      severity: "warning",
      networks: [index],
      message: `${coarse.matrices} of ${coarse.of} matrices of ${name} have few different numbers, as after quantisation to 8 or 4 bits`,
      advice:
        "merge the network before it was quantised, if there is one: rounding adds noise to every difference",
    });
  }
  return findings;
}

function findNonFinite({ nonFinite }: NetworkTraits, index: number, name: string): MergeFinding[] {
  if (nonFinite.length === 0) return [];
  const count = nonFinite.reduce((sum, { count: inTensor }) => sum + inTensor, 0);
  return [
    {
      kind: "non-finite",
      severity: "error",
      networks: [index],
      message: `${name} has NaN or infinite numbers, ${count} of those that were read (${listSome(nonFinite.map(({ tensor }) => tensor))})`,
      advice: "use another checkpoint: they spread to every merge",
    },
  ];
}

function findUntied({ facts, tied }: NetworkTraits, index: number, name: string): MergeFinding[] {
  if (facts?.tied !== true || tied !== false) return [];
  return [
    {
      kind: "tied-weights",
      severity: "warning",
      networks: [index],
      message: `the config of ${name} says that embedding and head are one matrix, but they differ`,
      advice: "set tie_word_embeddings to false, or drop the head: programs that read the config ignore it",
    },
  ];
}

/** Finds out whether some networks have one matrix for embedding and head and others have two. */
function findTies(comparison: NetworkComparison): MergeFinding[] {
  const positions = (tied: boolean) =>
    comparison.networks.flatMap((network, index) => (network.tied === tied ? [index] : []));
  const [yes, no] = [positions(true), positions(false)];
  if (yes.length === 0 || no.length === 0) return [];
  return [
    {
      kind: "tied-weights",
      severity: "warning",
      networks: [...yes, ...no],
      message: `embedding and head are equal in ${nameNetworks(comparison, yes)} and differ in ${nameNetworks(comparison, no)}`,
      advice:
        "treat both as matrices of their own: a merge by a recipe does so, and writes tie_word_embeddings: false into the config of its result",
    },
  ];
}

function findAdapters(comparison: NetworkComparison, { method }: JudgedMerge): MergeFinding[] {
  const adapters = comparison.networks.flatMap(({ adapter }, index) => (adapter ? [index] : []));
  if (adapters.length === 0) return [];
  const names = nameNetworks(comparison, adapters);
  const isMixed = adapters.length < comparison.networks.length;
  const is = adapters.length === 1 ? "is an adapter" : "are adapters";
  return [
    {
      kind: "adapter",
      // A method blends tensor by tensor; until one is chosen, adapters can still be merged as what they add.
      severity: isMixed || method !== undefined ? "error" : "warning",
      networks: adapters,
      message: isMixed
        ? `${names} ${is} and no whole network, as the others are`
        : `${names} ${is}: the mean of factors is not the mean of what they add`,
      advice: isMixed
        ? "name each as model+adapter in a recipe, so that it is applied before networks are merged"
        : "isthmus merge of the adapters alone merges what they add, if they are LoRA: their folders as PEFT saves them, or their files of kohya or diffusers; or apply each to its model, and merge the models",
    },
  ];
}

function findUnmerged({ unmerged }: NetworkTraits, index: number, name: string): MergeFinding[] {
  if (unmerged === null) return [];
  return [
    {
      kind: "adapter",
      severity: "warning",
      networks: [index],
      message: `${name} has an adapter beside its weights ("${unmerged}"): the mean of factors is not the mean of what they add, unless they are equal in all networks`,
      advice:
        "merge the adapter into its network with the program that made it, or keep these tensors from one network by a filter",
    },
  ];
}

function findChat(comparison: NetworkComparison): MergeFinding[] {
  const positions = (chat: boolean) =>
    comparison.networks.flatMap(({ facts }, index) => (facts?.chat === chat ? [index] : []));
  const [chats, others] = [positions(true), positions(false)];
  if (chats.length === 0 || others.length === 0) return [];
  return [
    {
      kind: "chat",
      severity: "note",
      networks: [...chats, ...others],
      message: `${nameNetworks(comparison, chats)} ${chats.length === 1 ? "has" : "have"} a template of chats, ${nameNetworks(comparison, others)} ${others.length === 1 ? "has" : "have"} none`,
      advice: "take a model without instructions as base_model rather than as a network of a mean",
    },
  ];
}
