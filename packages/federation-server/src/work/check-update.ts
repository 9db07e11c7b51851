import { open } from "node:fs/promises";
import {
  type Checkpoint,
  compareCheckpoints,
  composeCheckpoint,
  isIsthmusError,
  openCheckpoint,
  squaredNorm,
} from "@isthmus/core";
import type { NormLimit } from "../config/federation-config.ts";
import {
  addSquares,
  measureChange,
  normsOfNetwork,
  refusalOfChange,
  rootsOf,
  type SharedParts,
} from "./change-norms.ts";
import { cutPieces, faultOf, withPieceReader } from "./tensor-pieces.ts";

/** What is needed to check the bytes of an update. */
export interface CheckRequest extends SharedParts {
  /** Path of the update. */
  readonly update: string;
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
  request: CheckRequest,
): Promise<CheckedUpdate> {
  const statistics = new Set(request.averaged);
  const squares = { whole: 0, parameters: 0 };
  const fault = await withPieceReader(async (reader) => {
    for (const piece of cutPieces(network)) {
      const elements = await reader.read(update, piece);
      const problem = faultOf(piece, elements);
      if (problem !== undefined) return problem;
      addSquares(squares, squaredNorm(elements), !statistics.has(piece.name));
    }
    return undefined;
  });
  if (fault !== undefined) return { refusal: `its numbers must be finite: ${fault}` };
  const [before, after] = [await normsOfNetwork(network, request), rootsOf(squares)];
  // No change is longer than both networks together, which is all that there is to know of most.
  const most = { whole: before.whole + after.whole, parameters: before.parameters + after.parameters };
  if (refusalOfChange(most, before, request.norm) === undefined) return { refusal: null };
  const change = await measureChange(network, update, statistics);
  return { refusal: refusalOfChange(change, before, request.norm) ?? null };
}
