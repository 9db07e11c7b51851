import { type Checkpoint, composeCheckpoint, MismatchError, type TensorPlace } from "@isthmus/core";
import { assertBindable } from "../ir/bind-weights.ts";
import type { Graph } from "../ir/graph.ts";
import type { NamedNetwork, NetworkNames } from "./find-names.ts";
import { sameValues } from "./same-values.ts";
import { TensorPool } from "./tensor-pool.ts";
import { judgeUnread, type UnreadContext } from "./unread-tensors.ts";

/** A checkpoint read as a network of a graph. */
export interface BoundNetwork {
  /** Tensors that the graph reads, and the integers and buffers beside them, under the graph's names. */
  readonly network: Checkpoint;
  /** Names of the network's tensors in the checkpoint and in the graph. */
  readonly names: NetworkNames;
  /**
   * Tensors that are not part of the network, such as an optimizer's state or averages of the weights; saved
   * networks do not contain them.
   */
  readonly leftOut: readonly string[];
  /** Tensors that the graph does not read and that the policy keeps, by their names in the checkpoint. */
  readonly kept: readonly string[];
  /**
   * Gives a network made from this one, permuted or merged, the names and the order of the checkpoint, so
   * that it can be loaded like the checkpoint. Tied copies are written again, and buffers that `changed`
   * lacks are taken from the checkpoint.
   */
  restore(changed: Checkpoint): Checkpoint;
  /** Reads a result of {@link restore}, or a file saved from it, as a network of the graph again. */
  reread(saved: Checkpoint): Checkpoint;
}

/**
 * Checks that a checkpoint has all tensors that a graph reads and none that would be lost, and gives its
 * tensors the graph's names.
 *
 * @param graph - its weights have the network's names
 * @param context - tied tensors, and the policy for tensors that are not read
 * @throws MismatchError if a tensor is missing or of another shape, tied tensors differ, or tensors are
 *   not read and must not be kept
 */
export async function nameByGraph(
  graph: Graph,
  { checkpoint, names, inner }: NamedNetwork,
  context: UnreadContext,
): Promise<BoundNetwork> {
  const { tied } = context;
  assertBindable(graph, inner);
  await assertTied(inner, tied);
  const notRead = await judgeUnread(graph, { checkpoint, names, inner }, context);
  const copied = new Set(notRead);
  const read = (saved: Checkpoint) => {
    const places = [...names.stored].flatMap(([name, stored]): [string, TensorPlace][] =>
      tied.has(name) || copied.has(stored) ? [] : [[name, { checkpoint: saved, name: stored }]],
    );
    return composeCheckpoint(new Map(places), saved);
  };
  return {
    kept: notRead,
    network: read(checkpoint),
    names,
    leftOut: [...names.outside.filter((name) => !copied.has(name)), ...names.copies],
    reread: read,
    restore: (changed) => restore(changed, { checkpoint, names, tied, copied }),
  };
}

async function assertTied(inner: Checkpoint, tied: ReadonlyMap<string, string>): Promise<void> {
  const pool = new TensorPool(inner);
  for (const [copy, read] of tied) {
    if (!inner.tensors.has(copy) || sameValues(await pool.read(copy), await pool.read(read))) continue;
    throw new MismatchError(
      `Cannot feed "${inner.source}" to the graph as it reads "${read}" in place of "${copy}", too, so both must be equal: they differ; export a network in which they are two weights`,
      { parameters: [copy, read] },
    );
  }
}

/** Data for writing a network under the names of its checkpoint. */
interface Restoring {
  readonly checkpoint: Checkpoint;
  readonly names: NetworkNames;
  readonly tied: ReadonlyMap<string, string>;
  /** Tensors that are copied unchanged, by the checkpoint's names. */
  readonly copied: ReadonlySet<string>;
}

function restore(changed: Checkpoint, { checkpoint, names, tied, copied }: Restoring): Checkpoint {
  const nameOf = new Map([...names.stored].map(([name, stored]) => [stored, name]));
  const places = new Map<string, TensorPlace>();
  for (const stored of checkpoint.tensors.keys()) {
    const name = nameOf.get(stored);
    const read = name === undefined ? undefined : (tied.get(name) ?? name);
    if (read !== undefined && changed.tensors.has(read) && !copied.has(stored)) {
      places.set(stored, { checkpoint: changed, name: read });
    } else if (read !== undefined || copied.has(stored)) {
      places.set(stored, { checkpoint, name: stored });
    }
  }
  return composeCheckpoint(places, changed);
}
