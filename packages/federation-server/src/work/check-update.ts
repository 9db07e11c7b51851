import { open } from "node:fs/promises";
import {
  type Checkpoint,
  compareCheckpoints,
  composeCheckpoint,
  isIsthmusError,
  openCheckpoint,
  squaredNorm,
} from "@isthmus/core";
import {
  type AdapterScaling,
  atRanksOf,
  type FactorPair,
  rankIn,
  scaleBy,
  squaredChange,
  squaredProducts,
} from "@isthmus/federated";
import type { NormLimit } from "../config/federation-config.ts";
import {
  addSquares,
  measureChange,
  namesOfFactors,
  normsOfNetwork,
  refusalOfChange,
  rootsOf,
  type SharedParts,
  sharedPairs,
  withProducts,
} from "./change-norms.ts";
import { completed } from "./complete-update.ts";
import { cutPieces, faultOf, negativeOf, withPieceReader } from "./tensor-pieces.ts";

/** Inputs of the check of an update's bytes. */
export interface CheckRequest extends SharedParts {
  /** Path of the update. */
  readonly update: string;
  /** Names of running variances, whose elements must not be negative. */
  readonly variances: readonly string[];
  /** Largest norm of the change, in the shared tensors and the products of adapters. */
  readonly norm: NormLimit;
  /** Largest rank of adapters; `null` for the rank of the network. */
  readonly rank: number | null;
  /** Scale of the products of adapters; undefined if it is not stated. */
  readonly adapters: AdapterScaling | undefined;
}

/** Result of the check of an update's bytes. */
export interface CheckedUpdate {
  /** Reason why the bytes cannot count; `null` if they can. */
  readonly refusal: string | null;
}

/**
 * Checks the bytes of an update, in pieces: whether they are safetensors, have the tensors of the network,
 * are finite and do not change the network too much. Bytes of a hostile client lead to a refusal, never to
 * an error.
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
      const pairs = sharedPairs(network, request.keep);
      const refusal =
        refusalOfStructure(asked, atRanksOf(sent, pairs)) ?? refusalOfRanks(sent, pairs, request);
      const products = { pairs, scaleOf: request.adapters && scaleBy(request.adapters) };
      return (
        refusal ??
        (await checkElements(asked, sent, {
          ...request,
          factors: namesOfFactors(pairs),
          squaresOfProducts: async () => ({
            before: await squaredProducts(network, products),
            change: await squaredChange(network, completed(update, network, keep), products),
          }),
        }))
      );
    } finally {
      await update.close();
    }
  } finally {
    await network.close();
  }
}

/** Opens an update, or returns the reason why its bytes are not an update. */
async function openUpdate(path: string): Promise<Checkpoint | string> {
  try {
    return await openCheckpoint(path);
  } catch (error) {
    if (!isIsthmusError(error, "FormatError", "UnsupportedError", "InputError")) throw error;
    // A client does not know the path, and must not learn it.
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
 * Checks that a file begins with the length of a header and a brace, as other formats are not read from
 * clients.
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

/** Checks that adapters have the rank of the network, or another one whose scale is known. */
function refusalOfRanks(
  update: Checkpoint,
  pairs: readonly FactorPair[],
  { rank: most, adapters }: CheckRequest,
): CheckedUpdate | undefined {
  for (const pair of pairs) {
    const rank = rankIn(update, pair);
    if (rank === pair.rank || rank === undefined) continue;
    const attempt = `the rank of "${pair.module}" must be`;
    if (adapters === undefined && pair.alpha === undefined) {
      return {
        refusal: `${attempt} that of the network, ${pair.rank}, as the scale of others is not known: it is ${rank}; the owner of the server may set "strategy.adapters"`,
      };
    }
    if (rank > (most ?? pair.rank)) {
      return {
        refusal: `${attempt} at most ${most ?? pair.rank}: it is ${rank}; the owner of the server may set "limits.rank"`,
      };
    }
  }
  return undefined;
}

/** Inputs of the check of an update's elements. */
interface ElementsRequest extends CheckRequest {
  /** Names of factors of adapters, whose products count and not their elements. */
  readonly factors: ReadonlySet<string>;
  /** Measures the squared norms of all products in the network, and of their change. */
  readonly squaresOfProducts: () => Promise<{ readonly before: number; readonly change: number }>;
}

/**
 * Checks that all numbers are finite, that variances are not negative, and that the network is not changed
 * too much.
 */
async function checkElements(
  network: Checkpoint,
  update: Checkpoint,
  { factors, squaresOfProducts, ...request }: ElementsRequest,
): Promise<CheckedUpdate> {
  const statistics = new Set(request.averaged);
  const variances = new Set(request.variances);
  const squares = { whole: 0, parameters: 0 };
  const fault = await withPieceReader(async (reader) => {
    for (const piece of cutPieces(update)) {
      const elements = await reader.read(update, piece);
      const problem = faultOf(piece, elements);
      if (problem !== undefined) return `its numbers must be finite: ${problem}`;
      const negative = variances.has(piece.name) ? negativeOf(piece, elements) : undefined;
      if (negative !== undefined) return `its variances must not be negative: ${negative}`;
      if (factors.has(piece.name)) continue;
      addSquares(squares, squaredNorm(elements), !statistics.has(piece.name));
    }
    return undefined;
  });
  if (fault !== undefined) return { refusal: fault };
  const ofProducts = await squaresOfProducts();
  const [start, after] = [await normsOfNetwork(network, request), rootsOf(squares)];
  const before = withProducts(start, ofProducts.before);
  // The norm of a change is at most the sum of the norms of both networks. For most updates this bound is
  // within the limit, and the change need not be measured.
  const most = withProducts(
    { whole: start.whole + after.whole, parameters: start.parameters + after.parameters },
    ofProducts.change,
  );
  if (refusalOfChange(most, before, request.norm) === undefined) return { refusal: null };
  const change = withProducts(
    await measureChange(network, update, { statistics, factors }),
    ofProducts.change,
  );
  return { refusal: refusalOfChange(change, before, request.norm) ?? null };
}
