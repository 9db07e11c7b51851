import { measureLayers } from "@isthmus/barrier";
import type { Checkpoint } from "@isthmus/core";
import { limitExamples } from "@isthmus/graph";
import { align } from "@isthmus/weight-matching";
import type { ClientBarrier } from "../result/federation-run.ts";
import type { OpenFederation } from "./open-federation.ts";
import type { SentUpdate } from "./send-updates.ts";

/** Number of examples on which barriers are measured. */
const EXAMPLES = 1000;
/** Number of points of each path: its ends and the middle, which is the average. */
const POINTS = 3;

/**
 * Measures barriers between the networks that pairs of honest clients trained, as a whole and by layer,
 * before the second is permuted to match the first, and after.
 * @returns barriers of each pair; empty in rounds that are not to be measured
 */
export async function measureClientBarriers(
  federation: OpenFederation,
  sent: readonly SentUpdate[],
  round: number,
  signal?: AbortSignal | undefined,
): Promise<readonly ClientBarrier[]> {
  const { description, clients } = federation;
  const { barriers } = description.measure;
  if (barriers === undefined || !barriers.rounds.includes(round)) return [];
  const honest = sent.flatMap((update) =>
    update.refused === undefined && clients.get(update.client)?.attacker === false ? [update] : [],
  );
  const measured: ClientBarrier[] = [];
  for (const [a, b] of pairsOf(honest, barriers.pairs ?? 1)) {
    const names = { round, a: a.client, b: b.client };
    measured.push({
      ...names,
      aligned: false,
      ...(await measure(federation, [a.network, b.network], signal)),
    });
    const { graph, engine } = federation;
    const { networks } = await align({ graph, engine }, [a.network, b.network], {
      seed: description.seed,
      signal,
    });
    const [, matched = b.network] = networks;
    measured.push({ ...names, aligned: true, ...(await measure(federation, [a.network, matched], signal)) });
  }
  return measured;
}

async function measure(
  { graph, engine, evaluation }: OpenFederation,
  pair: readonly [Checkpoint, Checkpoint],
  signal: AbortSignal | undefined,
): Promise<Pick<ClientBarrier, "whole" | "layers">> {
  const examples = limitExamples("measure barriers", evaluation.data, EXAMPLES);
  const { whole, layers } = await measureLayers({ graph, engine }, pair, examples, {
    points: POINTS,
    orders: [],
    signal,
  });
  return {
    whole: whole.wholeEndpoints.loss,
    layers: layers.map(({ group, barrier }) => ({ name: group, barrier: barrier.loss })),
  };
}

/**
 * Lists the first pairs of items: the first with the second, the first with the third, the second with the
 * third, and so on.
 */
function pairsOf<T>(items: readonly T[], count: number): readonly (readonly [T, T])[] {
  const pairs: (readonly [T, T])[] = [];
  for (const [j, second] of items.entries()) {
    for (const first of items.slice(0, j)) pairs.push([first, second]);
    if (pairs.length >= count) break;
  }
  return pairs.slice(0, count);
}
