import type { Checkpoint } from "@isthmus/core";
import { type Engine, freeBatch, type Graph } from "@isthmus/graph";
import type { Context } from "./verb.ts";

/** What `--json` says of a graph that was exported for one size of batch. */
export interface BatchSummary {
  /** Examples of that batch. */
  readonly exported: number;
  /** Why the graph takes no other; null where it takes any. */
  readonly reason: string | null;
}

/** A graph that takes any batch, if it can. */
export interface FreeArchitecture {
  readonly graph: Graph;
  /** Null where the graph took any batch from the start. */
  readonly batch: BatchSummary | null;
}

/**
 * Lets a graph that was exported for one size of batch take any where that can be proved, and notes on standard error what became of it.
 * @param network - weights to prove it with
 */
export async function freeArchitecture(
  { graph, engine }: { readonly graph: Graph; readonly engine: Engine },
  network: Checkpoint,
  { signal, terminal }: Pick<Context, "signal" | "terminal">,
): Promise<FreeArchitecture> {
  const {
    exportedBatch,
    reason,
    graph: freed,
  } = await freeBatch(graph, engine, { weights: network, signal });
  if (exportedBatch === undefined) return { graph, batch: null };
  const examples = exportedBatch === 1 ? "1 example" : `${exportedBatch} examples`;
  terminal.note(
    reason === undefined
      ? `The graph was exported for ${examples}; it is used for any number, which gives the same.`
      : `The graph was exported for ${examples}, and takes no other number: ${reason}. Data are run in its batches, the last one filled up.`,
  );
  return { graph: freed, batch: { exported: exportedBatch, reason: reason ?? null } };
}
