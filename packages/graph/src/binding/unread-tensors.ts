import {
  at,
  type Checkpoint,
  DTYPES,
  entry,
  isTrainingState,
  MismatchError,
  sameShape,
  sizeOf,
  toFloat32,
} from "@isthmus/core";
import type { Graph } from "../ir/graph.ts";
import { isKnownBuffer } from "../ir/known-buffers.ts";
import { listNames } from "../ir/list-names.ts";
import type { NamedNetwork } from "./find-names.ts";
import { isConstant } from "./same-values.ts";
import { TensorPool } from "./tensor-pool.ts";

/** Policies for floating-point tensors of a checkpoint that the graph does not read. */
export const UNREAD_POLICIES = ["refuse", "keep"] as const;

/**
 * One of {@link UNREAD_POLICIES}: refuse the checkpoint, or keep these tensors unchanged in every network
 * made from it. Tensors without which the graph computes different results than the network are refused by
 * both.
 */
export type UnreadPolicy = (typeof UNREAD_POLICIES)[number];

/** Facts that decide about unread tensors. */
export interface UnreadContext {
  /** Tied tensors by the network's names, each with the name under which it is read. */
  readonly tied: ReadonlyMap<string, string>;
  /** Policy for tensors that the graph does not read. */
  readonly unread: UnreadPolicy;
  /** Pattern of names of tensors that are kept whatever the policy is; absent for none. */
  readonly otherParts?: RegExp | undefined;
  /** Network whose values the graph's file contains, under the network's names; absent if it is unknown. */
  readonly witness?: Checkpoint | undefined;
}

/**
 * Checks that a graph computes the same as a network, although it does not read all tensors.
 *
 * Exporters leave out and merge tensors that a network uses, because of their values: zeros, ones, and
 * tensors equal to others. The graph then computes the same as its source, but not the same as a network with
 * other values. Such a tensor is recognised by its values in the source, or, if the source is unknown, by a
 * tensor of the same module that is read.
 *
 * @throws MismatchError if the graph computes different results than the network
 */
export async function assertNothingLost(
  graph: Graph,
  network: NamedNetwork,
  context: Pick<UnreadContext, "tied" | "witness">,
): Promise<void> {
  const { inner } = network;
  const losses: string[] = [];
  for (const name of listUnread(graph, network, context)) {
    const loss = await findLoss(graph, { name, network: inner, witness: context.witness });
    if (loss?.matters === true) losses.push(`"${name}" (${loss.reason})`);
  }
  if (losses.length > 0) throw lossError(graph, network, { losses, ...context });
}

/**
 * Decides about the floating-point tensors of a network that a graph does not read, and lists the tensors
 * that are kept unchanged, by their names in the checkpoint. Zeros and ones that an exporter left out are
 * kept in any case, if its source has them, too.
 *
 * @throws MismatchError if the policy refuses a tensor
 */
export async function judgeUnread(
  graph: Graph,
  network: NamedNetwork,
  context: UnreadContext,
): Promise<string[]> {
  const { checkpoint, names, inner } = network;
  const isFloat = (name: string) => DTYPES[entry(checkpoint.tensors, name, "tensor").dtype].float;
  const outside = names.outside.filter((name) => isFloat(name) && !isTrainingState(name));
  const inside = listUnread(graph, network, context);
  const storedName = (name: string) => entry(names.stored, name, "tensor");
  const unused: string[] = [];
  for (const name of inside) {
    const loss = await findLoss(graph, { name, network: inner, witness: context.witness });
    if (loss === undefined) unused.push(storedName(name));
  }
  const open = [...unused, ...outside].filter((name) => context.otherParts?.test(name) !== true);
  if (open.length > 0 && context.unread === "refuse") throw unreadError(graph, checkpoint, open);
  return [...inside.map(storedName), ...outside];
}

/** Lists the floating-point tensors of a network, by its names, that are neither read, tied nor buffers. */
function listUnread(
  graph: Graph,
  { names, inner }: NamedNetwork,
  { tied }: Pick<UnreadContext, "tied">,
): string[] {
  return [...names.stored.keys()].filter(
    (name) => !graph.weights.has(name) && !tied.has(name) && !isKnownBuffer(inner, name),
  );
}

/** A tensor that may have been lost when a graph was exported. */
interface Loss {
  /** Reason in a few words. */
  readonly reason: string;
  /** Whether the graph therefore computes different results than the network. */
  readonly matters: boolean;
}

/** A tensor of a network that a graph does not read. */
interface UnreadTensor {
  readonly name: string;
  readonly network: Checkpoint;
  readonly witness: Checkpoint | undefined;
}

/**
 * Finds the reason why an exporter may have lost a tensor; undefined if the network does not seem to use it.
 */
async function findLoss(graph: Graph, { name, network, witness }: UnreadTensor): Promise<Loss | undefined> {
  const info = witness?.tensors.get(name);
  if (witness === undefined || info === undefined) {
    const sibling = [...graph.weights.keys()].find((read) => areSiblings(read, name));
    return sibling === undefined
      ? undefined
      : { reason: `the graph reads "${sibling}" of the same module`, matters: true };
  }
  const pool = new TensorPool(witness);
  const values = await pool.read(name);
  if (!isConstant(values)) return undefined;
  for (const twin of pool.ofSize(values.length)) {
    if (twin === name || !graph.weights.has(twin) || !sameShape(pool.shapeOf(twin), info.shape)) continue;
    if (!(await pool.matches(twin, { ...info, values }, []))) continue;
    return { reason: `equal to "${twin}"`, matters: true };
  }
  const reason = describeNumber(graph, values);
  if (reason === undefined) return undefined;
  const current = await new TensorPool(network).read(name);
  const isSame = await pool.matches(name, { ...entry(network.tensors, name), values: current }, []);
  return { reason, matters: !isSame };
}

/**
 * Describes why an exporter may have left out a tensor whose numbers are all equal; undefined if it has no
 * reason to.
 */
function describeNumber(graph: Graph, values: Float32Array): string | undefined {
  const [number = Number.NaN] = values;
  if (number === 0) return "zeros";
  if (number === 1) return "ones";
  if (values.length > 1) return undefined;
  const folded = [...graph.constants].find(
    ([, { dtype, shape, data }]) =>
      DTYPES[dtype].float && sizeOf(shape) === 1 && mayBeMadeOf(number, at(toFloat32(data, dtype), 0)),
  );
  return folded === undefined ? undefined : `folded into "${folded[0]}"`;
}

/** Functions of one number that exporters compute beforehand, such as of a trained temperature. */
const FOLDABLE: readonly ((x: number) => number)[] = [
  (x) => x,
  (x) => -x,
  (x) => 1 / x,
  (x) => x * x,
  Math.abs,
  Math.sqrt,
  Math.exp,
  (x) => Math.exp(-x),
  Math.log1p,
  Math.tanh,
  (x) => 1 / (1 + Math.exp(-x)),
  (x) => Math.log1p(Math.exp(x)),
];

/** Checks whether a constant is a usual function of a number, to the precision of f32. */
function mayBeMadeOf(number: number, constant: number): boolean {
  return FOLDABLE.some((f) => Math.abs(f(number) - constant) <= 1e-6 * Math.abs(constant));
}

/** Checks whether two tensors belong to one module: their names differ in the last part only. */
function areSiblings(one: string, other: string): boolean {
  const moduleOf = (name: string): string => name.slice(0, name.lastIndexOf(".") + 1);
  return moduleOf(one) !== "" && moduleOf(one) === moduleOf(other);
}

function lossError(
  graph: Graph,
  { checkpoint: { source } }: NamedNetwork,
  { losses, witness }: Pick<UnreadContext, "witness"> & { readonly losses: readonly string[] },
): MismatchError {
  const isOwn = witness?.source === source;
  const held =
    witness === undefined || isOwn ? "" : `, as "${witness.source}" has them, which it was exported from`;
  const from = isOwn ? "a network in which they have values of their own" : `"${source}"`;
  const named =
    witness === undefined
      ? ", or name the checkpoint that it was exported from with --exported-from (in a script: exportedFrom)"
      : "";
  return new MismatchError(
    `Cannot feed "${source}" to graph "${graph.name}" as it must compute what the network does: exporters leave out and merge tensors for their values, and it does not read ${listNames(losses)}${held}. Export the graph from ${from}, or without optimization (optimize=False)${named}`,
    { parameters: losses },
  );
}

function unreadError(graph: Graph, { source }: Checkpoint, unread: readonly string[]): MismatchError {
  const count = unread.length === 1 ? "one is not" : `${unread.length} are not`;
  return new MismatchError(
    `Cannot feed "${source}" to graph "${graph.name}" as every floating-point tensor must be read, or changing the others breaks the network: ${count}, ${listNames(unread.map((name) => `"${name}"`))}; export the whole network, or keep what it does not use as it is with --unread keep (in a script: unread: "keep")`,
    { parameters: unread },
  );
}
