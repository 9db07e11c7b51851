import { measureBarrier } from "@isthmus/barrier";
import type { Architecture, DataSet } from "@isthmus/graph";
import type { RewoundRound } from "./prune-result.ts";
import { sparsityOf, type TicketRound } from "./train/find-tickets.ts";

/**
 * Measures the networks of all rounds of a lottery ticket: loss, error, and the barrier to the round before.
 * @throws InputError if the data do not fit the graph
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createOnnxRuntimeEngine, openDataSet, parseNetwork } from "isthmus";
 * import { measureRounds, pruneIteratively } from "isthmus";
 *
 * const data = await openDataSet("mnist:test@200");
 * const { graph, initialize } = parseNetwork("mlp:8", data);
 * const architecture = { graph, engine: createOnnxRuntimeEngine() };
 * const options = { seed: 0, epochs: 2, sparsity: 0.75, rounds: 2 };
 * const rounds = await pruneIteratively(architecture, initialize(0), data, options);
 * const [dense, half] = await measureRounds(architecture, rounds, data);
 * assert(dense?.barrier === undefined && (half?.barrier ?? -1) >= 0);
 * ```
 */
export async function measureRounds(
  architecture: Architecture,
  rounds: readonly TicketRound<unknown>[],
  data: DataSet,
  { points = 11, signal }: { readonly points?: number; readonly signal?: AbortSignal } = {},
): Promise<readonly RewoundRound[]> {
  const measured: RewoundRound[] = [];
  for (const [index, round] of rounds.entries()) {
    const { weights } = round;
    const before = rounds[index - 1]?.weights ?? weights;
    const options = { points: index === 0 ? 3 : points, signal };
    const { points: places, barrier } = await measureBarrier(architecture, [before, weights], data, options);
    const last = places.at(-1);
    measured.push({
      sparsity: sparsityOf(round),
      ...(last && { loss: last.loss, error: last.error }),
      ...(index > 0 && { barrier: barrier.loss.chord }),
    });
  }
  return measured;
}
