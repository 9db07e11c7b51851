import { open } from "node:fs/promises";
import {
  allocateData,
  type Checkpoint,
  compareCheckpoints,
  composeCheckpoint,
  DTYPES,
  findNonFinite,
  isIsthmusError,
  openCheckpoint,
  sizeOf,
  squaredNorm,
  type TensorInfo,
  toFloat64,
} from "@isthmus/core";

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
export type CheckedUpdate =
  /** They can; `norm` is that of the change from the network that the client began with. */
  { readonly refusal: null; readonly norm: number } | { readonly refusal: string };

/** Elements that are read at once. */
const PIECE = 2 ** 18;

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

/** Checks for the length of a header and the brace that follows, as other formats are not read from clients. */
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

async function checkElements(
  network: Checkpoint,
  update: Checkpoint,
  norm: number | null,
): Promise<CheckedUpdate> {
  let squares = 0;
  for (const [name, info] of network.tensors) {
    const size = sizeOf(info.shape);
    for (let begin = 0; begin < size; begin += PIECE) {
      const range = { name, info, begin, length: Math.min(PIECE, size - begin) };
      const piece = await checkPiece(network, update, range);
      if (typeof piece === "string") return { refusal: piece };
      squares += piece;
    }
  }
  const length = Math.sqrt(squares);
  if (norm !== null && !(length <= norm)) {
    return { refusal: `the norm of its change must be at most ${norm}: it is ${length.toPrecision(4)}` };
  }
  return { refusal: null, norm: length };
}

interface Piece {
  readonly name: string;
  readonly info: TensorInfo;
  readonly begin: number;
  readonly length: number;
}

/** Returns the squared norm of the change in a piece, or why the piece cannot count. */
async function checkPiece(
  network: Checkpoint,
  update: Checkpoint,
  { name, info: { dtype }, begin, length }: Piece,
): Promise<number | string> {
  if (!DTYPES[dtype].float) return 0;
  const [before, after] = [allocateData(dtype, length), allocateData(dtype, length)];
  await Promise.all([network.readRangeInto(name, begin, before), update.readRangeInto(name, begin, after)]);
  const place = findNonFinite({ dtype, data: after });
  if (place >= 0) {
    const value = toFloat64(after.subarray(place, place + 1) as typeof after, dtype)[0];
    return `its numbers must be finite: element ${begin + place} of "${name}" is ${value}`;
  }
  if (after instanceof Float32Array && before instanceof Float32Array && dtype === "f32") {
    for (let i = 0; i < length; i++) after[i] = (after[i] as number) - (before[i] as number);
    return squaredNorm({ dtype, data: after });
  }
  const [x, y] = [toFloat64(before, dtype), toFloat64(after, dtype)];
  return x.reduce((sum, value, i) => sum + (value - (y[i] as number)) ** 2, 0);
}
