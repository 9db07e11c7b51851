import { describeSpent } from "@isthmus/federated";
import { lossFields } from "@isthmus/graph";
import type { FederationDescription } from "./description/federation-description.ts";
import type { FederationRun, RoundResult } from "./result/federation-run.ts";
import { evaluateNorms } from "./run/evaluate-norms.ts";
import { evaluateClients, fairnessOf } from "./run/evaluate-round.ts";
import { type OpenFederation, openFederation, type SimulationPorts } from "./run/open-federation.ts";
import type { Position } from "./run/position.ts";
import { beginPosition, runRound } from "./run/run-round.ts";

/** Options of {@link simulateFederation}. */
export interface SimulateFederationOptions extends SimulationPorts {
  /**
   * Signal that stops the simulation between two rounds or steps of a training.
   * @defaultValue never aborted
   */
  readonly signal?: AbortSignal | undefined;
  /** Callback for the result of each round, called once the round has ended. */
  readonly onRound?: ((round: RoundResult) => void) | undefined;
}

/**
 * Simulates a federation in this process: clients train in turn, attackers attack, and the state machine that
 * a server runs decides on rounds. The result depends on the description and the engine alone.
 * @throws InputError if the federation names something unknown, or its parts do not fit each other
 * @throws UsageError, OutOfRangeError if a number or a parameter is wrong
 * @throws DOMException named AbortError if `signal` is aborted
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { openDataSet } from "@isthmus/data";
 * import { createOnnxRuntimeEngine } from "@isthmus/engine";
 * import { simulateFederation } from "@isthmus/simulation";
 *
 * const federation = {
 *   net: "mlp:16",
 *   data: "mnist:train@600",
 *   evaluate: "mnist:test@200",
 *   clients: 6,
 *   rounds: 3,
 *   partition: { name: "dirichlet", alpha: 1 },
 *   attack: { name: "sign-flip", attackers: 1 },
 *   strategy: { rule: "coordinate-median" },
 *   seed: 0,
 * };
 * const { rounds, attackers } = await simulateFederation(federation, {
 *   engine: createOnnxRuntimeEngine(),
 *   openData: (name) => openDataSet(name),
 * });
 * assert.deepEqual([rounds.length, attackers.length], [3, 1]);
 * ```
 */
export async function simulateFederation(
  description: FederationDescription,
  { signal, onRound, ...ports }: SimulateFederationOptions,
): Promise<FederationRun> {
  const federation = await openFederation(description, ports);
  try {
    let position = await beginPosition(federation);
    while (!isOver(position)) {
      signal?.throwIfAborted();
      position = await runRound(federation, position, { signal });
      const last = position.rounds.at(-1);
      if (last !== undefined) onRound?.(last);
    }
    return await describeRun(federation, position);
  } finally {
    await federation.close();
  }
}

/** Returns whether a federation has no round left. */
export const isOver = ({ state: { status } }: Pick<Position, "state">): boolean =>
  status === "finished" || status === "failed";

/** Describes a federation that is over. */
export async function describeRun(
  federation: OpenFederation,
  { state, network, clients: states, rounds, barriers, privacy: spent }: Position,
): Promise<FederationRun> {
  const clients = await evaluateClients(federation, { network, clients: states });
  const { description } = federation;
  const { privacy } = description.strategy;
  const last = rounds.findLast(({ loss }) => loss !== undefined);
  return {
    ...lossFields(federation.graph, federation.evaluation.data),
    attackers: clients.flatMap(({ client, attacker }) => (attacker ? [client] : [])),
    rounds,
    clients,
    barriers,
    ...(state.status === "failed" && { failed: state.reason }),
    ...(state.status === "finished" && rounds.length < description.rounds && privacy && spent
      ? { stopped: describeSpent(privacy, spent) }
      : {}),
    accuracy: last?.accuracy ?? Number.NaN,
    loss: last?.loss ?? Number.NaN,
    fairness: fairnessOf(clients),
    ...(description.measure.norms && { norms: await evaluateNorms(federation, network) }),
  };
}
