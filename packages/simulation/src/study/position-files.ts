import {
  type Checkpoint,
  createCheckpoint,
  openCheckpoint,
  parseJson,
  saveCheckpoint,
  type Tensor,
} from "@isthmus/core";
import type { ClientState, Position } from "../run/position.ts";
import { readPart } from "../run/update-files.ts";

/** Key of the metadata with the fields of a position that are not tensors. */
const RECORD = "isthmus.position";

/** Version of the record of a position. */
const VERSION = 1;

/** Fields of a position that are plain data. */
type PositionRecord = Pick<Position, "state" | "rounds" | "barriers" | "privacy"> & {
  /** Version of the record; a federation whose record has another version starts again at its first round. */
  readonly version: number;
  /** Names of the clients that keep a state. */
  readonly clients: readonly string[];
  /** Names of the network's tensors in the order in which sums are taken; a file may have another order. */
  readonly names: readonly string[];
};

/** Writes the position of a federation into one file, which replaces the file before. */
export async function savePosition(position: Position, path: string): Promise<void> {
  const { state, network, serverState, variate, clients, rounds, barriers, privacy } = position;
  const tensors = new Map<string, Tensor>();
  const add = async (part: string, checkpoint: Checkpoint | undefined) => {
    if (checkpoint === undefined) return;
    for (const name of checkpoint.tensors.keys()) {
      tensors.set(`${part}/${name}`, await checkpoint.read(name));
    }
  };
  await add("network", network);
  await add("server", serverState);
  await add("variate", variate);
  for (const [client, { personal, variate: ofClient }] of clients) {
    await add(`own of ${client}`, personal);
    await add(`variate of ${client}`, ofClient);
  }
  const record: PositionRecord = {
    version: VERSION,
    state,
    rounds,
    barriers,
    privacy,
    clients: [...clients.keys()],
    names: [...network.tensors.keys()],
  };
  // NaN and infinity would become null in JSON: they are written as words.
  const json = JSON.stringify(record, (_, value) =>
    typeof value === "number" && !Number.isFinite(value) ? { number: String(value) } : value,
  );
  await saveCheckpoint(createCheckpoint(tensors, { [RECORD]: json }), path, { overwrite: true });
}

/**
 * Reads the position of a federation; returns undefined if there is no file, or it is incomplete or of
 * another version.
 */
export async function readPosition(path: string): Promise<Position | undefined> {
  const file = await openCheckpoint(path).catch(() => undefined);
  if (file === undefined) return undefined;
  try {
    const text = file.metadata[RECORD];
    const network = await readPart(file, "network");
    if (text === undefined || network === undefined) return undefined;
    const parsed = parseJson(text, { attempt: `read "${path}"` });
    const { version, clients: keepers, names, ...record } = withNumbers(parsed) as PositionRecord;
    if (version !== VERSION) return undefined;
    const clients = new Map<string, ClientState>();
    for (const name of keepers) {
      const personal = await readPart(file, `own of ${name}`);
      const variate = await readPart(file, `variate of ${name}`);
      clients.set(name, { ...(personal && { personal }), ...(variate && { variate }) });
    }
    return {
      ...record,
      network: await inOrder(network, names),
      clients,
      serverState: await readPart(file, "server"),
      variate: await readPart(file, "variate"),
    };
  } finally {
    await file.close();
  }
}

/** Returns the tensors of a network in the order of a list of names. */
async function inOrder(network: Checkpoint, names: readonly string[]): Promise<Checkpoint> {
  const tensors = names.map(async (name): Promise<[string, Tensor]> => [name, await network.read(name)]);
  return createCheckpoint(new Map(await Promise.all(tensors)));
}

/** Puts numbers back in place of the words that they were written as. */
function withNumbers(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(withNumbers);
  const { number, ...others } = value as { readonly number?: unknown };
  if (typeof number === "string" && Object.keys(others).length === 0) return Number(number);
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, withNumbers(one)]));
}
