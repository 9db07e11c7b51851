import { at, type Checkpoint, composeCheckpoint, type TensorPlace } from "@isthmus/core";
import type { MergePlan, PlannedSource, PlannedTensor } from "@isthmus/merging";
import { compareNetworks } from "./compare-networks.ts";
import type { MergeFinding } from "./findings/merge-finding.ts";
import { factsOfGguf, findOtherArchitectures, findOtherTokens } from "./gguf-facts.ts";
import { judgeMerge } from "./judge-merge.ts";
import type { ModelFacts } from "./model-facts.ts";
import { findQuantizedForm } from "./quantized-form.ts";
import { findEmbedding, findHead } from "./token-names.ts";

/** Options of {@link checkMerge}. */
export interface CheckMergeOptions {
  /** Most elements of each network that are read, at least 1. @defaultValue 2^18 */
  readonly sample?: number;
  /** Most tensors that are read. @defaultValue 24 */
  readonly tensors?: number;
  /** Whether the networks will be aligned before they are merged. @defaultValue false */
  readonly aligned?: boolean;
  /** Facts from the files beside each network of the plan. @defaultValue facts of GGUF files alone */
  readonly facts?: readonly (ModelFacts | null)[];
  /** Signal that stops the check. @defaultValue never stopped */
  readonly signal?: AbortSignal | undefined;
}

/** Defaults of {@link checkMerge}; two networks of 1 GB take 0.03 to 0.1 s on an idle machine. */
const CHECK_MERGE_DEFAULTS: Required<CheckMergeOptions> = {
  sample: 2 ** 18,
  tensors: 24,
  aligned: false,
  facts: [],
  signal: undefined,
};

/**
 * Checks a merge before it is done: whether the networks that it blends are relatives, and whether their
 * numbers can be blended at all. It reads a small sample.
 *
 * A finding of severity `error` says that the merge is surely meaningless. Tensors that are copied from one
 * network are not checked, so layers of unrelated networks may be stacked; of GGUF files all must be of one
 * architecture.
 *
 * @returns errors and then warnings; findings of severity `note` are left out
 */
export async function checkMerge(
  plan: MergePlan,
  options: CheckMergeOptions = {},
): Promise<readonly MergeFinding[]> {
  const { sample, tensors, aligned, facts, signal } = { ...CHECK_MERGE_DEFAULTS, ...options };
  const blended = [...plan.tensors].flatMap(([name, tensor]): Blended[] => {
    const sources = countingSources(tensor);
    return sources.length + (tensor.base === undefined ? 0 : 1) > 1 ? [[name, { ...tensor, sources }]] : [];
  });
  const chosen = [...new Set([...findTelling(plan, blended), ...chooseTensors(blended, tensors)])];
  const roles = rolesOf(plan, blended);
  const others = findOtherArchitectures(plan.networks);
  if (roles.networks.length + (roles.base === undefined ? 0 : 1) < 2) return others;
  const views = roles.networks.map((network) => viewOf(plan, chosen, network));
  const base = roles.base === undefined ? undefined : viewOf(plan, chosen, roles.base);
  const positions = [...roles.networks, ...(roles.base === undefined ? [] : [roles.base])];
  const comparison = await compareNetworks(views, {
    base,
    sample,
    search: sample,
    seed: plan.seed,
    signal,
    facts: positions.map((i) => facts[i] ?? factsOfGguf(at(plan.networks, i, "network"))),
  });
  const { findings } = judgeMerge(comparison, {
    aligned,
    method: methodOf(blended),
    // The base may be among the networks that are merged, too.
    hasBase: blended.some(([, tensor]) => tensor.base !== undefined),
  });
  // A view lacks the tensors to which its network does not contribute, so different names mean nothing.
  const telling = findings.filter(
    ({ kind }) => kind !== "names" && !(kind === "model-types" && others.length > 0),
  );
  const ofBlended = [...findOtherTokens(positions.map((i) => at(plan.networks, i, "network"))), ...telling];
  const all = [
    ...others,
    ...ofBlended.map((finding) => ({
      ...finding,
      // What is written decides: files with such numbers are refused, unless they are allowed by an option.
      ...(finding.kind === "non-finite" ? { severity: "warning" as const } : {}),
      networks: finding.networks.map((i) => at(positions, i, "network")),
    })),
  ];
  return SEVERITIES.flatMap((severity) => all.filter((finding) => finding.severity === severity));
}

/** Severities of findings that concern a merge, in the order of their weight. */
const SEVERITIES: readonly MergeFinding["severity"][] = ["error", "warning"];

/** A tensor of the result that is made of several tensors, with the sources that contribute to it. */
type Blended = readonly [
  name: string,
  tensor: Pick<PlannedTensor, "info" | "method" | "base"> & { readonly sources: readonly PlannedSource[] },
];

/**
 * Lists the sources that contribute to the result: not sources of weight 0, nor the far end of a path (`t` of
 * 0 or 1).
 */
function countingSources({ sources, method, parameters }: PlannedTensor): readonly PlannedSource[] {
  const { weight, t } = parameters;
  if (method?.networks.most === 2 && t === 0) return sources.slice(0, 1);
  if (method?.networks.most === 2 && t === 1) return sources.slice(1);
  return Array.isArray(weight) ? sources.filter((_, i) => weight[i] !== 0) : sources;
}

/** Positions of the networks that are blended, and of the network that is only their base. */
function rolesOf(
  { networks }: MergePlan,
  blended: readonly Blended[],
): { readonly networks: readonly number[]; readonly base: number | undefined } {
  const merged = new Set(blended.flatMap(([, { sources }]) => sources.map(({ network }) => network)));
  const base = blended.find(([, tensor]) => tensor.base !== undefined)?.[1].base?.network;
  return {
    networks: [...networks.keys()].filter((position) => merged.has(position)),
    base: base === undefined || merged.has(base) ? undefined : base,
  };
}

function methodOf(blended: readonly Blended[]): string | undefined {
  return blended.find(([, { method }]) => method !== undefined)?.[1].method?.name;
}

/**
 * Finds the tensors that are always checked: the first packed weight of each network, and embeddings and
 * heads of tokens.
 */
function findTelling({ networks }: MergePlan, blended: readonly Blended[]): readonly Blended[] {
  const names = networks.map((network) =>
    [findQuantizedForm(network)?.tensor, findEmbedding(network), findHead(network)].filter(
      (name) => name !== undefined,
    ),
  );
  return blended.filter(([, { sources }]) =>
    sources.some(({ network, tensor }) => at(names, network, "network").includes(tensor)),
  );
}

/** Chooses tensors from all over a network, the first and the last among them. */
function chooseTensors(blended: readonly Blended[], most: number): readonly Blended[] {
  if (blended.length <= most) return blended;
  const matrices = blended.filter(([, { info }]) => info.shape.length > 1);
  const from = matrices.length >= most ? matrices : blended;
  const step = (from.length - 1) / Math.max(1, most - 1);
  return Array.from({ length: most }, (_, i) => at(from, Math.round(i * step), "tensor"));
}

/** The chosen tensors of one network, under their names in the result. */
function viewOf({ networks }: MergePlan, chosen: readonly Blended[], position: number): Checkpoint {
  const checkpoint = at(networks, position, "network");
  const places = chosen.flatMap(([name, { sources, base }]): [string, TensorPlace][] => {
    const source = [...sources, base].find((place): place is PlannedSource => place?.network === position);
    return source === undefined ? [] : [[name, { checkpoint, name: source.tensor }]];
  });
  return composeCheckpoint(new Map(places), { source: checkpoint.source });
}
