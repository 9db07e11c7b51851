import { open } from "node:fs/promises";
import {
  type Checkpoint,
  compareCheckpoints,
  composeCheckpoint,
  type Elements,
  isIsthmusError,
  openCheckpoint,
  squaredNorm,
  toFloat64,
} from "@isthmus/core";
import type { NormLimit } from "../config/federation-config.ts";
import { cutPieces, faultOf, readPiece } from "./tensor-pieces.ts";

/** What is needed to check the bytes of an update. */
export interface CheckRequest {
  /** Path of the update. */
  readonly update: string;
  /** Path of the network that the client began with. */
  readonly network: string;
  /** Names of tensors that clients keep to themselves: an update need not have them. */
  readonly keep: readonly string[];
  /** Names of running statistics and the like, which count for limits in numbers alone. */
  readonly averaged: readonly string[];
  /** Largest norm of the change, in the shared tensors. */
  readonly norm: NormLimit;
}

/** Whether the bytes of an update can count. */
export interface CheckedUpdate {
  /** Why they cannot; `null` if they can. */
  readonly refusal: string | null;
}

/**
 * Checks the bytes of an update, in pieces: whether they are safetensors, have the tensors of the network,
 * are finite and have not gone too far. What a hostile client sends leads to a refusal, never to an error.
 *
 * Without a limit in numbers, parameters may go {@link NORM_MULTIPLE} times as far as their own norm is long
 * (Euclidean, over all that is shared; a norm below 1 counts as 1, as networks may begin at zeros). Running
 * statistics are left out there: after one round on inputs that are not normalised, their norm may be many
 * times that of the parameters. The norm of the whole change must be a number of f32 in any case.
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
      return refusalOfStructure(asked, sent) ?? (await checkElements(asked, sent, request));
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

/** Checks that all numbers are finite, and how far they have gone. */
async function checkElements(
  network: Checkpoint,
  update: Checkpoint,
  { averaged, norm: limit }: CheckRequest,
): Promise<CheckedUpdate> {
  const statistics = new Set(averaged);
  // Sums of squares: of the change, of its part in the parameters, and of the parameters themselves.
  let [whole, moved, base] = [0, 0, 0];
  for (const range of cutPieces(network)) {
    const after = await readPiece(update, range);
    const fault = faultOf(range, after);
    if (fault !== undefined) return { refusal: `its numbers must be finite: ${fault}` };
    const before = await readPiece(network, range);
    const squares = squaredDistance(before, after);
    whole += squares;
    if (statistics.has(range.name)) continue;
    moved += squares;
    base += squaredNorm(before);
  }
  const refusal = refusalOfNorm(
    { whole: Math.sqrt(whole), moved: Math.sqrt(moved), base: Math.sqrt(base) },
    limit,
  );
  return { refusal: refusal ?? null };
}

/** Times the norm of the network's parameters that an update may go, where there is no limit in numbers. */
const NORM_MULTIPLE = 1000;
/** Shortest norm of parameters that counts as it is: a network may begin at zeros. */
const LEAST_NORM = 1;

/**
 * Says why a change is too long, if it is.
 * @param norms - of the whole change, of its part in the parameters, and of the parameters before it
 */
function refusalOfNorm(
  { whole, moved, base }: { readonly whole: number; readonly moved: number; readonly base: number },
  limit: NormLimit,
): string | undefined {
  const tell = (value: number): string => value.toPrecision(4);
  if (!Number.isFinite(Math.fround(whole))) {
    return `the norm of its change must be a number of f32: it is ${tell(whole)}`;
  }
  if (limit === "none") return undefined;
  if (limit !== "auto") {
    return whole <= limit
      ? undefined
      : `the norm of its change must be at most ${limit}: it is ${tell(whole)}`;
  }
  const most = NORM_MULTIPLE * Math.max(LEAST_NORM, base);
  if (moved <= most) return undefined;
  return `the norm of its change must be at most ${tell(most)}, which is ${NORM_MULTIPLE} times that of the network, or of 1: it is ${tell(moved)}; the owner of the server may set "limits.norm"`;
}

/** Computes the squared Euclidean distance of two pieces, added in f64. */
function squaredDistance(a: Elements, b: Elements): number {
  const [x, y] = [valuesOf(a), valuesOf(b)];
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += ((x[i] as number) - (y[i] as number)) ** 2;
  return sum;
}

/** Returns the numbers of a piece, without a copy where it has them as they are. */
function valuesOf({ data, dtype }: Elements): Float32Array | Float64Array {
  return data instanceof Float32Array ? data : toFloat64(data, dtype);
}
