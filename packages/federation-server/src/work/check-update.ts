import { open } from "node:fs/promises";
import {
  type Checkpoint,
  compareCheckpoints,
  composeCheckpoint,
  type Elements,
  isIsthmusError,
  openCheckpoint,
  toFloat64,
} from "@isthmus/core";
import { createPieceReader, cutPieces, faultOf } from "./tensor-pieces.ts";

/** What is needed to check the bytes of an update. */
export interface CheckRequest {
  /** Path of the update. */
  readonly update: string;
  /** Path of the network that the client began with. */
  readonly network: string;
  /** Names of tensors that clients keep to themselves: an update need not have them. */
  readonly keep: readonly string[];
  /** Largest norm of the change, in the shared tensors; `null` for any. */
  readonly norm: number | null;
}

/** Whether the bytes of an update can count. */
export interface CheckedUpdate {
  /** Why they cannot; `null` if they can. */
  readonly refusal: string | null;
}

/**
 * Checks the bytes of an update, in pieces: whether they are safetensors, have the tensors of the network,
 * are finite and have not gone too far. What a hostile client sends leads to a refusal, never to an error.
 */
export async function checkUpdate(request: CheckRequest): Promise<CheckedUpdate> {
  if (!(await looksLikeSafetensors(request.update))) return { refusal: "the bytes are not safetensors" };
  const network = await openCheckpoint(request.network);
  try {
    const update = await openUpdate(request.update);
    if (typeof update === "string") return { refusal: update };
    try {
      const keep = new Set(request.keep);
      const [asked, sent] = [sharedPart(network, keep), sharedPart(update, keep)];
      return refusalOfStructure(asked, sent) ?? (await checkElements(asked, sent, request.norm));
    } finally {
      await update.close();
    }
  } finally {
    await network.close();
  }
}

/** Opens an update, or returns why its bytes are none. */
async function openUpdate(path: string): Promise<Checkpoint | string> {
  try {
    return await openCheckpoint(path);
  } catch (error) {
    if (!isIsthmusError(error, "FormatError", "UnsupportedError", "InputError")) throw error;
    // A client neither knows the path nor should.
    return error.message.replaceAll(`"${path}"`, "the update");
  }
}

/** Returns the tensors of a network that clients do not keep to themselves. */
export function sharedPart(network: Checkpoint, keep: ReadonlySet<string>): Checkpoint {
  const names = [...network.tensors.keys()].filter((name) => !keep.has(name));
  return composeCheckpoint(new Map(names.map((name) => [name, { checkpoint: network, name }])), {
    source: network.source,
    metadata: network.metadata,
  });
}

/**
 * Checks for the length of a header and the brace that follows, as other formats are not read from clients.
 */
async function looksLikeSafetensors(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(9), 0, 9, 0);
    return bytesRead === 9 && buffer[8] === 0x7b;
  } finally {
    await file.close();
  }
}

function refusalOfStructure(network: Checkpoint, update: Checkpoint): CheckedUpdate | undefined {
  const renamed = (checkpoint: Checkpoint, source: string): Checkpoint => ({ ...checkpoint, source });
  const { same, message } = compareCheckpoints(
    renamed(network, "the network"),
    renamed(update, "the update"),
  );
  return same ? undefined : { refusal: `its tensors must be those of the network: ${message}` };
}

/** Checks that all numbers are finite and, if that is limited, how far they have gone. */
async function checkElements(
  network: Checkpoint,
  update: Checkpoint,
  norm: number | null,
): Promise<CheckedUpdate> {
  let squares = 0;
  const [before, after] = [createPieceReader(), createPieceReader()];
  try {
    for (const piece of cutPieces(network)) {
      const sent = await after.read(update, piece);
      const fault = faultOf(piece, sent);
      if (fault !== undefined) return { refusal: `its numbers must be finite: ${fault}` };
      if (norm !== null) squares += squaredDistance(await before.read(network, piece), sent);
    }
  } finally {
    before.release();
    after.release();
  }
  const length = Math.sqrt(squares);
  if (norm === null || length <= norm) return { refusal: null };
  return { refusal: `the norm of its change must be at most ${norm}: it is ${length.toPrecision(4)}` };
}

function squaredDistance(a: Elements, b: Elements): number {
  const [x, y] = [numbersOf(a), numbersOf(b)];
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += ((x[i] as number) - (y[i] as number)) ** 2;
  return sum;
}

/** Returns elements as numbers, without a copy where they are stored as numbers. */
function numbersOf({ data, dtype }: Elements): Float32Array | Float64Array {
  return data instanceof Float32Array ? data : toFloat64(data, dtype);
}
