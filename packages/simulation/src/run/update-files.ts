import {
  type Checkpoint,
  composeCheckpoint,
  createCheckpoint,
  FormatError,
  openCheckpoint,
  parseJson,
  saveCheckpoint,
  type Tensor,
} from "@isthmus/core";
import { join, mkdir, rm } from "@isthmus/platform";
import type { OpenClient } from "./open-federation.ts";
import type { TrainedClient } from "./train-client.ts";

/**
 * Updates of one round on disk, so that a round which was killed continues after the clients that had
 * finished, and networks are read range by range.
 */
export interface UpdateFiles {
  /** Reads the result of a client, or lets the client work and writes its result. */
  readOrWrite(
    client: OpenClient,
    make: () => Promise<TrainedClient | string>,
  ): Promise<TrainedClient | string>;
  /**
   * Closes the files, so that networks which were read from them cannot be read any more, and removes them.
   */
  remove(): Promise<void>;
  /** Closes the files. */
  close(): Promise<void>;
}

/** Parts of a client's result, which are prefixes of the names of their tensors. */
const PARTS = ["network", "personal", "variate", "change"] as const;
type Part = (typeof PARTS)[number];
/** Key of the metadata with the fields of a result that are not tensors. */
const RECORD = "isthmus.client";

/** Opens the folder of a round's updates; each update is one file, which appears complete or not at all. */
export async function openUpdateFiles(folder: string): Promise<UpdateFiles> {
  const updates = join(folder, "updates");
  await mkdir(updates, { recursive: true });
  const open: Checkpoint[] = [];
  const close = async () => {
    for (const file of open.splice(0)) await file.close();
  };
  return {
    async readOrWrite(client, make) {
      const path = join(updates, `${client.client}.safetensors`);
      const before = await openCheckpoint(path).catch(() => undefined);
      if (before === undefined) {
        await saveCheckpoint(await toCheckpoint(await make()), path, { overwrite: true });
      }
      const file = before ?? (await openCheckpoint(path));
      open.push(file);
      return readTrained(file, client);
    },
    close,
    async remove() {
      await close();
      await rm(updates, { recursive: true, force: true });
    },
  };
}

async function toCheckpoint(made: TrainedClient | string): Promise<Checkpoint> {
  if (typeof made === "string") return createCheckpoint({}, { [RECORD]: JSON.stringify({ refused: made }) });
  const { network, state, variateChange, trainLoss, loss } = made;
  const parts: Readonly<Record<Part, Checkpoint | undefined>> = {
    network,
    personal: state.personal,
    variate: state.variate,
    change: variateChange,
  };
  const tensors = new Map<string, Tensor>();
  for (const part of PARTS) {
    const checkpoint = parts[part];
    if (checkpoint === undefined) continue;
    for (const name of checkpoint.tensors.keys()) {
      tensors.set(`${part}/${name}`, await checkpoint.read(name));
    }
  }
  return createCheckpoint(tensors, { [RECORD]: JSON.stringify({ trainLoss, loss }) });
}

/**
 * Metadata of a file: the reason why there is no update, or losses of it. `null` represents NaN, which JSON
 * does not have.
 */
type MadeRecord =
  | { readonly refused: string }
  | { readonly trainLoss: number | null; readonly loss?: number };

async function readTrained(file: Checkpoint, client: OpenClient): Promise<TrainedClient | string> {
  const text = file.metadata[RECORD];
  if (text === undefined) {
    throw new FormatError(`Cannot go on from "${file.source}" as its metadata must have "${RECORD}"`, {
      format: "safetensors",
    });
  }
  const record = parseJson(text, { attempt: `read "${file.source}"` }) as MadeRecord;
  if ("refused" in record) return record.refused;
  const [personal, variate, change] = [
    await readPart(file, "personal"),
    await readPart(file, "variate"),
    await readPart(file, "change"),
  ];
  return {
    client,
    network: partOf(file, "network"),
    trainLoss: record.trainLoss === null ? Number.NaN : record.trainLoss,
    ...(record.loss !== undefined && { loss: record.loss }),
    state: { ...(personal && { personal }), ...(variate && { variate }) },
    ...(change && { variateChange: change }),
  };
}

/** Returns the tensors of one part under their own names, lazily. */
function partOf(file: Checkpoint, part: Part): Checkpoint {
  const names = [...file.tensors.keys()].filter((name) => name.startsWith(`${part}/`));
  return composeCheckpoint(
    new Map(names.map((name) => [name.slice(part.length + 1), { checkpoint: file, name }])),
    { source: `${part} of ${file.source}`, metadata: {} },
  );
}

/** Reads one part into memory; returns undefined if the file does not have it. */
export async function readPart(file: Checkpoint, part: string): Promise<Checkpoint | undefined> {
  const tensors = new Map<string, Tensor>();
  for (const name of file.tensors.keys()) {
    if (name.startsWith(`${part}/`)) tensors.set(name.slice(part.length + 1), await file.read(name));
  }
  return tensors.size === 0 ? undefined : createCheckpoint(tensors);
}
