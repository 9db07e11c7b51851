import { stat } from "node:fs/promises";
import { FormatError, InvariantError, isIsthmusError } from "@isthmus/core";
import { aggregatedRounds, type FederationState, networkOfRound } from "@isthmus/federated";
import { describeFault, type KnownFile } from "../store/known-file.ts";
import type { Store } from "../store/store.ts";

const FORMAT = "folder of a federation";

/** Returns the file of the network that clients of a round began with. */
export function networkFile(store: Store, state: FederationState, round: number): KnownFile {
  const hash = networkOfRound(state, round);
  if (hash === undefined) throw new InvariantError(`No network of round ${round}; please report this`);
  return { path: store.model(hash), hash };
}

/** Returns the file of the state that the last aggregation left for the next one; `null` if it left none. */
export async function carriedFile(store: Store, state: FederationState): Promise<KnownFile | null> {
  const rounds = aggregatedRounds(state);
  const last = rounds.at(-1);
  if (last === undefined || last.state === null) return null;
  const path = store.state(rounds.length);
  if (last.state !== undefined) return { path, hash: last.state };
  const isThere = (await stat(path).catch(() => undefined)) !== undefined;
  return isThere ? { path, hash: undefined } : null;
}

/**
 * Checks the files from which a federation continues: its network, the networks that updates began with, and
 * the state that the last aggregation left.
 * @throws FormatError if a file is missing or has other bytes than the journal says
 */
export async function assertKnownFiles(store: Store, state: FederationState): Promise<void> {
  const { network, updates, held, status } = state;
  const files: KnownFile[] = [{ path: store.model(network), hash: network }];
  if (status !== "finished" && status !== "failed") {
    const rounds = new Set([...updates, ...held].map(({ round }) => round));
    files.push(...[...rounds].map((round) => networkFile(store, state, round)));
    const carried = await carriedFile(store, state);
    if (carried !== null) files.push(carried);
  }
  for (const file of files) {
    const fault = await describeFault(file);
    if (fault !== undefined) throw damagedFolder(fault);
  }
}

/** Makes the error about a folder from which a federation cannot continue. */
export function damagedFolder(fault: string): FormatError {
  return new FormatError(
    `Cannot go on with the federation as the files of its folder must be those of its journal: ${fault}; restore the file from a copy, or begin in another folder`,
    { format: FORMAT },
  );
}

/** Returns whether an error says that the folder is damaged, so that a new attempt is useless. */
export function isDamagedFolder(error: unknown): boolean {
  return isIsthmusError(error, "FormatError") && (error as FormatError).format === FORMAT;
}
