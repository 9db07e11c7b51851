import type { DataSet, Engine } from "@isthmus/graph";
import { join, rm } from "@isthmus/platform";
import { createTaskKinds, type TaskKind, type TaskKinds } from "@isthmus/tasks";
import type { PartitionedClient } from "../result/federation-run.ts";
import { type OpenFederation, openFederation } from "../run/open-federation.ts";
import { beginPosition, runRound } from "../run/run-round.ts";
import { describeRun, isOver } from "../simulate-federation.ts";
import {
  assertFederationParams,
  type FederationTaskParams,
  moveFederationPaths,
} from "./federation-params.ts";
import { readPosition, savePosition } from "./position-files.ts";

/** Engine and data source of a simulation's tasks. */
export interface SimulationTaskPorts {
  /** Engine on which networks are trained and evaluated. */
  readonly engine: Engine;
  /** Opens examples by name. */
  openData(name: string): Promise<DataSet>;
}

/**
 * Largest number of bytes of a round's updates that are held in memory; larger rounds write each update to a
 * file.
 */
const MOST_HELD = 256 * 2 ** 20;
/**
 * Time after which a position is saved, in milliseconds: so much work of a small federation is lost if it is
 * killed.
 */
const SAVED_EVERY = 5000;

/**
 * Task that simulates one federation; it continues from the round, and in large federations from the client,
 * at which an earlier run was interrupted.
 */
export const federationTask: TaskKind<FederationTaskParams, SimulationTaskPorts> = {
  name: "federation",
  version: 2,
  assertParams: assertFederationParams,
  movePaths: moveFederationPaths,
  async run({ engine, openData, folder, signal, onProgress }, { federation: description }) {
    const federation = await openFederation(description, { engine, openData });
    const path = join(folder, "position.safetensors");
    const isLarge = federation.sentBytes * description.clients > MOST_HELD;
    let position = (await readPosition(path)) ?? (await beginPosition(federation));
    try {
      let saved = performance.now();
      while (!isOver(position)) {
        signal.throwIfAborted();
        const done = position.rounds.length;
        position = await runRound(federation, position, {
          signal,
          ...(isLarge && { folder }),
          onProgress: (share) => onProgress((done + share) / federation.plan.rounds),
        });
        if (isLarge || performance.now() - saved > SAVED_EVERY) {
          await savePosition(position, path);
          saved = performance.now();
        }
      }
      const run = await describeRun(federation, position);
      await rm(path, { force: true });
      return { kind: "federation", ...run, partition: partitionOf(federation) };
    } catch (error) {
      if (signal.aborted) await savePosition(position, path);
      throw error;
    } finally {
      await federation.close();
    }
  },
};

/** The registry of the kinds of tasks that simulations have. */
export const SIMULATION_TASKS: TaskKinds<SimulationTaskPorts> = createTaskKinds<SimulationTaskPorts>([
  federationTask as TaskKind<object, SimulationTaskPorts>,
]);

function partitionOf({ clients }: OpenFederation): readonly PartitionedClient[] {
  return [...clients.values()].map(({ client, labels, shift }) => ({
    client,
    labels,
    ...(shift && { shift }),
  }));
}
