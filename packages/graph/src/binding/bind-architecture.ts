import { at, type Checkpoint, openCheckpoint, type Tensor } from "@isthmus/core";
import type { Architecture } from "../architecture.ts";
import { freeBatch } from "../batch/free-batch.ts";
import { type BoundNetworks, bindNetworks } from "./bind-networks.ts";
import type { BoundNetwork } from "./bound-network.ts";
import { writtenPrefix } from "./find-names.ts";
import type { UnreadPolicy } from "./unread-tensors.ts";
import { verifyBinding } from "./verify-binding.ts";
import { isUnchanged, type WeightSource } from "./weight-source.ts";

/** Options of {@link bindArchitecture}. */
export interface BindArchitectureOptions {
  /** Checkpoint that the graph was exported from, or the path of one, if it is not among the others. */
  readonly exportedFrom?: Checkpoint | string | undefined;
  /** Policy for floating-point tensors that the graph does not read. @defaultValue "refuse" */
  readonly unread?: UnreadPolicy | undefined;
  /**
   * Prefix of the network's names in the checkpoints, such as `module.`. @defaultValue found by comparing
   * names
   */
  readonly prefix?: string | undefined;
  /** Receives sentences for the user on unusual facts about the binding. @defaultValue they are not told */
  readonly onNote?: ((text: string) => void) | undefined;
  /** Signal that stops the proofs between two runs. @defaultValue never aborted */
  readonly signal?: AbortSignal | undefined;
}

/** Summary of a graph that was exported for one size of batch, as plain data. */
export interface BatchSummary {
  /** Number of examples in the exported batch. */
  readonly exported: number;
  /** Reason why the graph takes only that batch; null if it takes any. */
  readonly reason: string | null;
}

/** Summary of the sources of a graph's weights, as plain data. */
export interface BindingSummary {
  /** Number of weights that are unchanged tensors of the same name. */
  readonly byName: number;
  /** Sources of the other weights, by the names in the graph's file. */
  readonly renamed: Readonly<Record<string, WeightSource>>;
  /** Weights of the file that are in no checkpoint and remain constants. */
  readonly constants: readonly string[];
  /** Text before the network's names, for each checkpoint. */
  readonly prefixes: readonly string[];
  /** Tensors of each checkpoint that are not part of the network. */
  readonly leftOut: readonly (readonly string[])[];
  /** Tensors of each checkpoint that the graph does not read and that are kept unchanged. */
  readonly kept: readonly (readonly string[])[];
  /**
   * Relative difference between the outputs of the graph's file and of the checkpoint it was exported from;
   * null if there was nothing to compare.
   */
  readonly witnessError: number | null;
  /** Outcome for the exported batch; null if the graph took any batch already. */
  readonly batch: BatchSummary | null;
}

/** An architecture whose weights are the tensors of checkpoints. */
export interface BoundArchitecture extends Architecture {
  /** Networks of the graph, in the order of the given checkpoints. */
  readonly networks: readonly BoundNetwork[];
  /** Summary of the sources of the graph's weights. */
  readonly binding: BindingSummary;
}

/**
 * Makes an architecture and checkpoints fit each other, even if the exporter renamed, folded or reordered
 * weights; proves this if the graph's file can be a witness, and lets the graph take any batch if possible.
 *
 * @param opened - an architecture, and the weights that its file carries
 * @throws MismatchError if they do not fit, or the graph's file computes different results than the
 *   checkpoint it was exported from
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { bindArchitecture, createOnnxRuntimeEngine, openArchitecture, openCheckpoint } from "isthmus";
 *
 * const architecture = await openArchitecture("examples/mnist-mlp/graph.onnx", createOnnxRuntimeEngine());
 * const a = await openCheckpoint("examples/mnist-mlp/s0.safetensors");
 * const b = await openCheckpoint("examples/mnist-mlp/s1.safetensors");
 *
 * const bound = await bindArchitecture(architecture, [a, b]); // whatever exporters did to names
 * assert.equal(bound.networks.length, 2);
 * await Promise.all([a.close(), b.close()]);
 * ```
 */
export async function bindArchitecture<
  A extends Architecture & { readonly carried: ReadonlyMap<string, Tensor> },
>(
  opened: A,
  checkpoints: readonly Checkpoint[],
  options: BindArchitectureOptions = {},
): Promise<A & BoundArchitecture> {
  const { exportedFrom, unread, prefix, signal, onNote = () => {} } = options;
  if (typeof exportedFrom === "string") {
    const source = await openCheckpoint(exportedFrom);
    const named = { ...options, exportedFrom: source };
    return bindArchitecture(opened, checkpoints, named).finally(() => source.close());
  }
  const { graph, carried, engine, otherParts } = opened;
  const decoded = { graph, weights: carried };
  const bound = await bindNetworks(decoded, checkpoints, { exportedFrom, unread, prefix, otherParts });
  const witnessError = await verifyBinding(decoded, bound, engine, { seed: 0, signal });
  const { network } = at(bound.networks, 0, "network");
  const freed = await freeBatch({ graph: bound.graph, engine }, { weights: network, signal });
  const { exportedBatch: exported, reason } = freed;
  const batch = exported === undefined ? null : { exported, reason: reason ?? null };
  for (const note of [...describeBinding(bound, checkpoints), ...describeBatch(batch)]) onNote(note);
  return {
    ...opened,
    graph: freed.graph,
    carried: new Map(),
    networks: bound.networks,
    binding: { ...summarizeBinding(bound, witnessError), batch },
  };
}

/** Returns a sentence on the outcome for a fixed batch; empty if the graph took any batch from the start. */
export function describeBatch(batch: BatchSummary | null): string[] {
  if (batch === null) return [];
  const examples = batch.exported === 1 ? "1 example" : `${batch.exported} examples`;
  return [
    batch.reason === null
      ? `The graph was exported for ${examples}; it is used for any number, which gives the same.`
      : `The graph was exported for ${examples}, and takes no other number: ${batch.reason}. Data are run in its batches, the last one filled up.`,
  ];
}

/**
 * Returns the end of a sentence on verification: the tensors that were not verified, as the graph does not
 * read them. Empty if the graph reads all tensors.
 */
export function describeUnchecked({ kept }: Pick<BindingSummary, "kept">): string {
  const names = [...new Set(kept.flat())];
  return names.length === 0 ? "" : `; not read by the graph, so not checked: ${list(names)}`;
}

function summarizeBinding(
  { binding, networks }: BoundNetworks,
  witnessError: number | undefined,
): Omit<BindingSummary, "batch"> {
  const changed = [...binding.sources].filter(([weight, source]) => !isUnchanged(weight, source));
  return {
    byName: binding.sources.size - changed.length,
    renamed: Object.fromEntries(changed),
    constants: binding.constants,
    prefixes: networks.map(({ names }) => names.prefix),
    leftOut: networks.map(({ leftOut }) => leftOut),
    kept: networks.map((network) => network.kept),
    witnessError: witnessError ?? null,
  };
}

/** Returns sentences on unusual facts about a binding; empty if every weight is a tensor of the same name. */
function describeBinding(
  { binding, networks }: Pick<BoundNetworks, "binding" | "networks">,
  checkpoints: readonly Pick<Checkpoint, "source">[],
): string[] {
  const changed = [...binding.sources].filter(([weight, source]) => !isUnchanged(weight, source));
  const folded = changed.filter(([, { kind }]) => kind === "folded-kernel").length;
  const lines: string[] = [];
  if (changed.length > 0) {
    const norms = folded === 0 ? "" : `; ${folded} had a batch norm folded in, which stands for itself again`;
    lines.push(
      `Weights: ${binding.sources.size - changed.length} by name, ${changed.length} by value${norms}.`,
    );
  }
  if (binding.constants.length > 0) {
    lines.push(
      `Taken from the graph's file as they are, as no tensor is left for them: ${list(binding.constants)}.`,
    );
  }
  for (const [i, network] of networks.entries()) {
    const { names, leftOut } = network;
    const source = `"${checkpoints[i]?.source}"`;
    const prefix = writtenPrefix(names);
    if (prefix !== "")
      lines.push(`Names in ${source} begin with "${prefix}"; the names of the network follow it.`);
    if (leftOut.length > 0) lines.push(`No part of the network in ${source}, left out: ${list(leftOut)}.`);
  }
  return [...lines, ...describeKept(networks, checkpoints)];
}

/** Returns sentences on tensors that the graph does not read, one for all networks with the same names. */
function describeKept(
  networks: BoundNetworks["networks"],
  checkpoints: readonly Pick<Checkpoint, "source">[],
): string[] {
  const groups = new Map<string, { readonly names: readonly string[]; readonly sources: string[] }>();
  for (const [i, { kept: unread }] of networks.entries()) {
    if (unread.length === 0) continue;
    const group = groups.get(JSON.stringify(unread)) ?? { names: unread, sources: [] };
    group.sources.push(`"${checkpoints[i]?.source}"`);
    groups.set(JSON.stringify(unread), group);
  }
  return [...groups.values()].map(
    ({ names, sources }) => `Not read by the graph, so not checked, in ${list(sources)}: ${list(names)}.`,
  );
}

/** Number of names that a note lists. */
const SHOWN = 4;

function list(names: readonly string[]): string {
  const rest = names.length - SHOWN;
  return `${names.slice(0, SHOWN).join(", ")}${rest > 0 ? ` and ${rest} more` : ""}`;
}
