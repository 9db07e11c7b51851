import type { NetworkComparison, PairComparison } from "../comparison.ts";
import type { PairVerdict, Verdict } from "../judge-pair.ts";
import { FAR, KINSHIP, MOVED_TOKENS } from "../thresholds.ts";
import {
  countTensors,
  formatPercent,
  type JudgedMerge,
  listSome,
  type MergeFinding,
  nameNetwork,
  nameNetworks,
} from "./merge-finding.ts";

/** Quotient of norms beyond which one network outweighs the other. */
const UNEQUAL = 2;

/**
 * Finds the consequences of the verdicts on pairs for a merge, and the tensors that differ between relatives.
 */
export function findKinship(
  comparison: NetworkComparison,
  verdicts: readonly PairVerdict[],
  merge: JudgedMerge,
): MergeFinding[] {
  const between = verdicts.filter(({ a, b }) => a !== comparison.base && b !== comparison.base);
  return [
    ...findStrangers(comparison, between, merge),
    ...findCopies(comparison, between, merge),
    ...findIdentical(comparison, verdicts),
    ...comparison.pairs.flatMap((pair, i) => findInPair(comparison, pair, verdicts[i]?.verdict)),
  ];
}

const ALIGN =
  "align them first: isthmus merge --align --graph model.onnx, or a folder with config.json (in a recipe: align: true)";

/** Advice for GGUF files, which have neither a graph nor a config by which their units are known. */
const ALIGN_SOURCES =
  "align the models from which the files were converted, and convert the result: isthmus merge --align needs folders with config.json, and a GGUF file has none";

function adviseAlignment({ networks }: NetworkComparison, positions: readonly number[]): string {
  return positions.some((i) => networks[i]?.source.endsWith(".gguf")) ? ALIGN_SOURCES : ALIGN;
}

function findStrangers(
  comparison: NetworkComparison,
  verdicts: readonly PairVerdict[],
  { aligned }: JudgedMerge,
): MergeFinding[] {
  // Factors of adapters have no units: what adapters add is merged, see findTraits.
  const areAdapters = ({ a, b }: PairVerdict) =>
    [a, b].every((position) => comparison.networks[position]?.adapter);
  const pairs = verdicts.filter((pair) => pair.verdict === "different seed" && !areAdapters(pair));
  if (pairs.length === 0) return [];
  const networks = positionsOf(pairs);
  const families = listFamilies(verdicts).map((family) => nameNetworks(comparison, family));
  const [first] = pairs;
  const numbers = `${first?.evidence}${pairs.length > 1 ? `; so are ${pairs.length - 1} more pairs` : ""}`;
  const message =
    networks.length > 2 && families.length > 1
      ? `${families.length} families were trained apart and have no units in common: ${families.join("; ")} (${numbers})`
      : `${nameNetworks(comparison, networks)} were trained apart and have no units in common (${numbers})`;
  return [
    {
      kind: "different-seed",
      severity: aligned ? "note" : "warning",
      networks,
      message,
      advice: aligned
        ? "they are aligned before they are merged: measure the result"
        : adviseAlignment(comparison, networks),
    },
  ];
}

/**
 * Lists the networks that are relatives of each other, directly or through others, the largest family
 * first.
 */
function listFamilies(verdicts: readonly PairVerdict[]): number[][] {
  const families = positionsOf(verdicts).map((position) => new Set([position]));
  for (const { a, b, verdict } of verdicts) {
    if (verdict !== "same ancestor" && verdict !== "identical") continue;
    const [one, two] = [a, b].map((position) => families.find((family) => family.has(position)));
    if (one === undefined || two === undefined || one === two) continue;
    for (const position of two) one.add(position);
    families.splice(families.indexOf(two), 1);
  }
  return families.map((family) => [...family]).sort((x, y) => y.length - x.length);
}

function findCopies(
  comparison: NetworkComparison,
  verdicts: readonly PairVerdict[],
  { aligned }: JudgedMerge,
): MergeFinding[] {
  return verdicts
    .filter(({ verdict }) => verdict === "permuted copy")
    .map(
      ({ a, b, evidence }): MergeFinding => ({
        kind: "permuted-copy",
        severity: aligned ? "note" : "error",
        networks: [a, b],
        message: `${nameNetworks(comparison, [a, b])} are one network with its units in two orders (${evidence})`,
        advice: aligned
          ? "leave one of them out: aligned they are equal"
          : `${adviseAlignment(comparison, [a, b])}; or leave one of them out`,
      }),
    );
}

function findIdentical(comparison: NetworkComparison, verdicts: readonly PairVerdict[]): MergeFinding[] {
  return verdicts
    .filter(({ verdict }) => verdict === "identical")
    .map(
      ({ a, b }): MergeFinding => ({
        kind: "identical",
        severity: "warning",
        networks: [a, b],
        message: `${nameNetworks(comparison, [a, b])} are equal in every number that was read`,
        advice: "leave one of them out, unless it shall count twice",
      }),
    );
}

function positionsOf(pairs: readonly PairVerdict[]): number[] {
  return [...new Set(pairs.flatMap(({ a, b }) => [a, b]))].sort((a, b) => a - b);
}

function findInPair(
  comparison: NetworkComparison,
  pair: PairComparison,
  verdict: Verdict | undefined,
): MergeFinding[] {
  if (verdict === "identical" || verdict === "different architecture") return [];
  return [
    ...findOffset(comparison, pair),
    ...findNorms(comparison, pair),
    ...(verdict === "same ancestor"
      ? [...findTokens(comparison, pair), ...findLayers(comparison, pair), ...findFar(comparison, pair)]
      : []),
  ];
}

function findOffset(comparison: NetworkComparison, { a, b, offset }: PairComparison): MergeFinding[] {
  if (offset === null) return [];
  return [
    {
      kind: "constant-offset",
      severity: "warning",
      networks: [a, b],
      message: `every number of ${nameNetwork(comparison, b)} is that of ${nameNetwork(comparison, a)} and ${Number(offset.toPrecision(3))}`,
      advice: "look at how it was made: no training adds one number to all weights",
    },
  ];
}

function findNorms(comparison: NetworkComparison, { a, b, norms }: PairComparison): MergeFinding[] {
  const [one, two] = norms;
  const quotient = Math.max(one, two) / Math.min(one, two);
  if (!(quotient > UNEQUAL) || !Number.isFinite(quotient)) return [];
  const [longer, shorter] = one > two ? [a, b] : [b, a];
  return [
    {
      kind: "norms",
      severity: "warning",
      networks: [a, b],
      message: `the weights of ${nameNetwork(comparison, longer)} are ${quotient.toPrecision(2)} times as long as those of ${nameNetwork(comparison, shorter)}`,
      advice: "weigh it less (--weights), or take the arc (--path spherical), as it outweighs the other",
    },
  ];
}

/** Finds embeddings without kinship in networks that are relatives. */
function findTokens(
  comparison: NetworkComparison,
  { a, b, vocabulary, kinship }: PairComparison,
): MergeFinding[] {
  if (vocabulary === null || vocabulary.kinship === null || kinship === null) return [];
  const isMoved = vocabulary.moved !== null && vocabulary.moved >= MOVED_TOKENS;
  if (vocabulary.kinship >= KINSHIP.least && !isMoved) return [];
  const moved =
    vocabulary.moved === null
      ? ""
      : `; ${formatPercent(vocabulary.moved)} of sampled rows are in another place`;
  return [
    {
      kind: "vocabulary-order",
      severity: "error",
      networks: [a, b],
      message: `the rows of tokens of ${nameNetworks(comparison, [a, b])} are in no common order ("${vocabulary.tensor}": kinship ${vocabulary.kinship.toFixed(2)}, of all matrices ${kinship.toFixed(2)}${moved})`,
      advice:
        "put rows of tokens in one order by a recipe with tokenizer: { source: union }, or base for the tokens of the base",
    },
  ];
}

/** Finds layers without kinship in networks that are relatives. */
function findLayers(
  comparison: NetworkComparison,
  { a, b, tensors, vocabulary }: PairComparison,
): MergeFinding[] {
  const unlike = tensors
    .filter(({ name, kinship }) => kinship !== null && kinship < KINSHIP.least && name !== vocabulary?.tensor)
    .map(({ name }) => name);
  if (unlike.length === 0) return [];
  return [
    {
      kind: "layers-unrelated",
      severity: "warning",
      networks: [a, b],
      message: `${countTensors(unlike.length)} of ${nameNetworks(comparison, [a, b])} have nothing in common, though the networks are relatives (${listSome(unlike)})`,
      advice:
        "take these layers from one network (--layers, in a recipe: filters), as new heads for other tasks; or try --align if units were reordered",
    },
  ];
}

function findFar(comparison: NetworkComparison, { a, b, distance }: PairComparison): MergeFinding[] {
  if (distance === null || distance < FAR) return [];
  return [
    {
      kind: "far-apart",
      severity: "note",
      networks: [a, b],
      message: `${nameNetworks(comparison, [a, b])} are relatives, but went far from each other (distance ${distance.toPrecision(2)})`,
      advice: "measure between them first: isthmus barrier, or merge with --require-barrier 0.05 --data",
    },
  ];
}
