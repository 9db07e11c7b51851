import {
  type Checkpoint,
  composeCheckpoint,
  formatShape,
  MismatchError,
  resolveOptions,
  sameShape,
  UsageError,
} from "@isthmus/core";
import { assertSameKind } from "../ir/bind-weights.ts";
import type { Graph } from "../ir/graph.ts";
import { listNames } from "../ir/list-names.ts";
import type { DecodedGraph } from "../onnx/decode-graph.ts";
import { bindGraph } from "./bind-graph.ts";
import { type BoundNetwork, nameByGraph } from "./bound-network.ts";
import { findBinding, type WeightBinding } from "./find-binding.ts";
import { findNames, type NamedNetwork } from "./find-names.ts";
import { type SeparatedGraph, separateWeights } from "./separate-weights.ts";
import { assertNothingLost, type UnreadPolicy } from "./unread-tensors.ts";

/** Options of {@link bindNetworks}. */
export interface BindNetworksOptions {
  /**
   * Checkpoint that the graph was exported from, if it is not among the networks.
   * @defaultValue looked for among them
   */
  readonly exportedFrom?: Checkpoint | undefined;
  /**
   * Whether floating-point tensors that the graph does not read are refused or kept. @defaultValue "refuse"
   */
  readonly unread?: UnreadPolicy | undefined;
  /**
   * Text before the network's names in every checkpoint, such as `module.`.
   * @defaultValue found by comparing names
   */
  readonly prefix?: string | undefined;
  /** Pattern of names of tensors that are kept whatever the policy is. @defaultValue none */
  readonly otherParts?: RegExp | undefined;
}

/** Defaults of {@link bindNetworks}. */
const BIND_NETWORKS_DEFAULTS: Readonly<
  Required<Omit<BindNetworksOptions, "unread">> & { readonly unread: UnreadPolicy }
> = { exportedFrom: undefined, unread: "refuse", prefix: undefined, otherParts: undefined };

/** A graph and the networks it was bound to. */
export interface BoundNetworks {
  /** The graph whose weights are the tensors of the checkpoints, in their own layout. */
  readonly graph: Graph;
  /** The checkpoints in the order of the argument. */
  readonly networks: readonly BoundNetwork[];
  /** Source of each weight of the graph's file in the tensors of the network. */
  readonly binding: WeightBinding;
  /**
   * Network whose values the graph's file contains; absent if the file contains none, or values of an unknown
   * network.
   */
  readonly exported?: Checkpoint;
}

/**
 * Makes a graph and checkpoints fit each other: finds which tensor of the checkpoints each weight of the
 * graph is, and rewrites the graph to read these tensors unchanged.
 *
 * Exporters rename weights, transpose them, and fold batch norms into them. These changes are found by
 * comparing the values that the graph's file contains with the checkpoint that it was exported from, and
 * then apply to the other checkpoints, each with its own norms. Prefixes of names, such as `module.`,
 * are found for each checkpoint.
 *
 * @param decoded - the graph and the weights that its file contains, as `readGraph` returns them
 * @param checkpoints - one or more, under the names with which they were saved
 * @throws MismatchError if some weight is in no checkpoint; if the file contains the values of an unknown
 *   network and names do not account for everything; if a checkpoint lacks a tensor, has a tensor of another
 *   shape, or has tensors that the graph does not read
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { openCheckpoint } from "@isthmus/core";
 * import { bindNetworks } from "@isthmus/graph";
 * import { readGraph } from "@isthmus/graph";
 *
 * const decoded = await readGraph("examples/mnist-mlp/graph.onnx");
 * const checkpoint = await openCheckpoint("examples/mnist-mlp/s0.safetensors");
 * const { graph, networks } = await bindNetworks(decoded, [checkpoint]);
 * const [bound] = networks;
 * assert.deepEqual([...graph.weights.keys()].sort(), [...checkpoint.tensors.keys()].sort());
 * // A changed network is saved under the checkpoint's names: saveCheckpoint(bound.restore(changed), path).
 * assert.deepEqual(bound?.restore(bound.network).tensors, checkpoint.tensors);
 * await checkpoint.close();
 * ```
 */
export async function bindNetworks(
  decoded: DecodedGraph,
  checkpoints: readonly Checkpoint[],
  options: BindNetworksOptions = {},
): Promise<BoundNetworks> {
  const { exportedFrom, prefix, ...policy } = resolveOptions(
    "bind networks",
    BIND_NETWORKS_DEFAULTS,
    options,
  );
  const name = (weights: Iterable<string>, checkpoint: Checkpoint) =>
    nameNetwork(weights, checkpoint, prefix);
  const candidates = exportedFrom === undefined ? checkpoints : [exportedFrom];
  const { binding, named, separated } = await chooseBinding(
    decoded,
    candidates.map((checkpoint) => name(decoded.graph.weights.keys(), checkpoint)),
    (one) => checkpoints.map((checkpoint) => name(one.tensors.keys(), checkpoint).inner),
  );
  const { graph: separate, weights: carried } = separated;
  const graph = bindGraph(separate, { binding, tensors: named.inner.tensors, carried });
  const isWitness = binding.exported && binding.disagreeing.length === 0;
  const witness = isWitness ? named.inner : undefined;
  const all = checkpoints.map((checkpoint) =>
    checkpoint === named.checkpoint ? named : name(graph.weights.keys(), checkpoint),
  );
  // Errors that no policy can avoid are raised before a policy is advised, with the network to export from.
  const sourceLast = all.toSorted((one, other) => Number(one === named) - Number(other === named));
  for (const network of sourceLast) await assertNothingLost(graph, network, { tied: binding.tied, witness });
  const networks: BoundNetwork[] = [];
  for (const network of all) {
    networks.push(await nameByGraph(graph, network, { tied: binding.tied, witness, ...policy }));
  }
  return { graph, networks, binding, ...(witness === undefined ? {} : { exported: witness }) };
}

function nameNetwork(
  weights: Iterable<string>,
  checkpoint: Checkpoint,
  prefix: string | undefined,
): NamedNetwork {
  const listed = { source: checkpoint.source, names: [...checkpoint.tensors.keys()] };
  const names = findNames([...weights], listed, prefix);
  const places = [...names.stored].map(([inner, stored]) => [inner, { checkpoint, name: stored }] as const);
  return { checkpoint, names, inner: composeCheckpoint(new Map(places), checkpoint) };
}

/** A checkpoint, and the binding that a graph would have to it. */
interface Candidate {
  readonly named: NamedNetwork;
  /** The graph with the weights that the exporter merged or left out. */
  readonly separated: SeparatedGraph;
  readonly binding: WeightBinding;
}

/**
 * Binds the graph to the candidate that it was exported from, else to the candidate that
 * leaves the fewest weights unbound.
 */
async function chooseBinding(
  decoded: DecodedGraph,
  candidates: readonly NamedNetwork[],
  networksLike: (network: Checkpoint) => readonly Checkpoint[],
): Promise<Candidate> {
  const { graph, weights } = decoded;
  const tried: Candidate[] = [];
  for (const named of candidates) {
    const separated = await separateWeights(decoded, named.inner);
    const { origins } = separated;
    const networks = () => networksLike(named.inner);
    const more = { origins, networks };
    const binding = await findBinding(separated.graph, separated.weights, named.inner, more);
    const isSource = (binding.exported && binding.disagreeing.length === 0) || weights.size === 0;
    if (binding.unbound.length === 0 && isSource) return { named, separated, binding };
    tried.push({ named, separated, binding });
  }
  const [best] = tried.toSorted(
    ({ binding: one }, { binding: two }) =>
      one.unbound.length - two.unbound.length || one.disagreeing.length - two.disagreeing.length,
  );
  if (best === undefined) throw new UsageError("Cannot bind a graph as there must be a checkpoint: got none");
  if (best.binding.unbound.length > 0) {
    const differing = widthError(graph.name, candidates);
    if (differing !== undefined) throw differing;
    assertSameKind(graph, best.named.inner);
    throw unboundError({ graph, weights }, tried, best);
  }
  return best;
}

/** Ways to name the checkpoint that a graph was exported from, for the ends of messages. */
const NAME_SOURCE = "with --exported-from (in a script: the option exportedFrom; in a study: exportedFrom:)";

/** Returns the error of networks that have one tensor in several widths; undefined if no tensor is such. */
function widthError(name: string, [first, ...others]: readonly NamedNetwork[]): MismatchError | undefined {
  for (const [tensor, { shape }] of first?.inner.tensors ?? []) {
    for (const other of others) {
      const differing = other.inner.tensors.get(tensor)?.shape;
      if (differing?.length !== shape.length || sameShape(shape, differing)) continue;
      return new MismatchError(
        `Cannot feed "${first?.checkpoint.source}" and "${other.checkpoint.source}" to graph "${name}" as both must have its widths: "${tensor}" is ${formatShape(shape)} and ${formatShape(differing)}; networks of different widths are joined by isthmus fuse`,
        { parameters: [tensor], input: other.checkpoint.source },
      );
    }
  }
  return undefined;
}

/** Hint for weights that are in no checkpoint. */
const STRANGERS = "They have no name in common: is it the graph of this network?";
const NO_VALUES =
  "The file carries no values to find them by: export it with its weights in it, or without constant folding";
const AMBIGUOUS =
  "Tensors of equal numbers, as those of a new network, cannot be told apart: export the graph from a trained network, or without optimization or constant folding";
const CHANGED = `It seems to be another network than the one that the graph was exported from: name that ${NAME_SOURCE}, or export the graph from this one`;
const OTHERWISE_MADE = `They are of another network, or were made from tensors in a way that is not known: export the graph without optimization or constant folding, or name the checkpoint that it was exported from ${NAME_SOURCE}`;

function hintFor({ sources, unbound }: WeightBinding): string {
  if (sources.size === 0) return STRANGERS;
  if (unbound.some(({ kind }) => kind === "ambiguous")) return AMBIGUOUS;
  return unbound.every(({ kind }) => kind === "changed") ? CHANGED : OTHERWISE_MADE;
}

function unboundError(
  { graph, weights }: DecodedGraph,
  tried: readonly Candidate[],
  { binding, named }: Candidate,
): MismatchError {
  const { unbound, unread } = binding;
  const missing = listNames(unbound.map(({ weight, reason }) => `"${weight}" (${reason})`));
  const left = unread.length === 0 ? "" : `; not read are ${listNames(unread.map((name) => `"${name}"`))}`;
  const parameters = unbound.map(({ weight }) => weight);
  if (weights.size === 0 || binding.exported) {
    const hint = weights.size === 0 && binding.sources.size > 0 ? NO_VALUES : hintFor(binding);
    return new MismatchError(
      `Cannot feed "${named.checkpoint.source}" to graph "${graph.name}" as every weight must be found in it: ${unbound.length} of ${graph.weights.size} are not, ${missing}${left}. ${hint}`,
      { parameters },
    );
  }
  const sources = [...new Set(tried.map(({ named: { checkpoint } }) => `"${checkpoint.source}"`))].join(
    " or ",
  );
  return new MismatchError(
    `Cannot feed ${sources} to graph "${graph.name}" as its file carries the weights of another network, and names alone do not account for everything: ${unbound.length} of ${graph.weights.size} weights are not found, ${missing}${left}. Name the checkpoint that it was exported from ${NAME_SOURCE}, or export the graph again with the weights of one of these loaded`,
    { parameters },
  );
}
