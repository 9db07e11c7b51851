import {
  allocateData,
  type Checkpoint,
  createCheckpoint,
  createTensor,
  entry,
  fromFloat64Into,
  sizeOf,
  type Tensor,
  type TensorData,
  type TensorInfo,
} from "@isthmus/core";
import type { ClientUpdate } from "../updates/client-update.ts";
import type { AggregateOptions } from "./aggregate-options.ts";
import { type ClientReport, planAggregate } from "./plan-aggregate.ts";
import type { PrivacyReport } from "./private-round.ts";
import { type AggregateNorms, runAggregate, stateTensors } from "./run-aggregate.ts";
import { stateMetadata } from "./state-record.ts";

/** Report of an aggregated round, as plain data. */
export interface AggregateReport {
  /** Name of the rule that was applied, which privacy may have put in place of the requested one. */
  readonly rule: string;
  /** Names of the steps before the rule, in order. */
  readonly preAggregations: readonly string[];
  /** Name of the server's optimiser. */
  readonly server: string;
  /** Number of the round, from 1. */
  readonly round: number;
  /** Clients in the order of their names. */
  readonly clients: readonly ClientReport[];
  /** Norm of the aggregated change over the shared tensors, before the server's step. */
  readonly changeNorm: number;
  /** Norm of the network's change over the shared tensors, after the server's step. */
  readonly stepNorm: number;
  /**
   * Norm of the part of the products of adapters for which the rank of the network has no room; missing for
   * networks without adapters.
   */
  readonly lostNorm?: number;
  /**
   * Privacy loss of all rounds so far, and the privacy state for the next round; missing without privacy. The
   * norms and weights of `clients` are not private: they are for the server alone.
   */
  readonly privacy?: PrivacyReport;
}

/** A network after a round, in memory. */
export interface AggregateResult {
  /** Global network after the round, in the element types of the network before. */
  readonly network: Checkpoint;
  /**
   * State to pass to the next round; undefined if neither the rule nor the server's optimiser carries one.
   */
  readonly state: Checkpoint | undefined;
  /** Report of the round: weights, norms, privacy. */
  readonly report: AggregateReport;
}

/**
 * Aggregates the updates of one round into a new network that is held in memory.
 *
 * Displacements of clients from the network they began with are summed in f64 in the order of the clients'
 * names, so the order of arrival does not change a byte, and neither does `memory`. For networks that do not
 * fit in memory there is `saveAggregate`, which writes the same bytes.
 * @param network - the global network of the round
 * @param updates - updates of at least one client
 * @throws InputError if there are too few updates for the rule, or a loss is missing that the rule needs
 * @throws MismatchError if an update has other names or shapes than the network
 * @throws UnsupportedError if the round is to be private and breaks the account
 * @throws UsageError, OutOfRangeError if an option or a parameter is wrong
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createCheckpoint, createTensor } from "@isthmus/core";
 * import { aggregateUpdates } from "@isthmus/federated";
 *
 * const network = (x: number) => createCheckpoint({ w: createTensor("f32", [1], Float32Array.of(x)) });
 * const updates = [
 *   { client: "anna", examples: 100, network: network(1) },
 *   { client: "bert", examples: 300, network: network(5) },
 * ];
 * const next = await aggregateUpdates(network(0), updates);
 * assert.deepEqual((await next.network.read("w")).data, Float32Array.of(4));
 * ```
 */
export async function aggregateUpdates(
  network: Checkpoint,
  updates: readonly ClientUpdate[],
  options: AggregateOptions = {},
): Promise<AggregateResult> {
  const plan = await planAggregate(network, updates, options);
  const values = new Map<string, Tensor>();
  for (const [name, info] of network.tensors) {
    values.set(name, plan.treatments.get(name) === "keep" ? await network.read(name) : allocate(info));
  }
  const states = new Map([...stateTensors(plan)].map(([name, info]) => [name, allocate(info)]));
  const writeTo =
    (tensors: ReadonlyMap<string, Tensor>) =>
    ({ name, begin, end }: { name: string; begin: number; end: number }, range: Float64Array) => {
      const { dtype, data } = entry(tensors, name, "tensor");
      fromFloat64Into(range, dtype, data.subarray(begin, end) as TensorData);
    };
  const norms = await runAggregate(plan, { writeNetwork: writeTo(values), writeState: writeTo(states) });
  return {
    network: createCheckpoint(values, network.metadata),
    state: states.size === 0 ? undefined : createCheckpoint(states, stateMetadata(plan.options)),
    report: reportOf(plan, norms),
  };
}

/** Describes an aggregated round. */
export function reportOf(
  { options, clients, privacy }: Awaited<ReturnType<typeof planAggregate>>,
  norms: AggregateNorms,
): AggregateReport {
  return {
    rule: options.rule.of.name,
    preAggregations: options.preAggregations.map(({ of }) => of.name),
    server: options.server.of.name,
    round: options.round,
    clients,
    ...norms,
    ...(privacy && { privacy }),
  };
}

function allocate({ dtype, shape }: TensorInfo): Tensor {
  return createTensor(dtype, shape, allocateData(dtype, sizeOf(shape)));
}
