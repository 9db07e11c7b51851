import {
  type Checkpoint,
  compareCheckpoints,
  composeCheckpoint,
  DTYPES,
  entry,
  isIsthmusError,
  openCheckpoint,
  openSafetensors,
  sizeOf,
  squaredNorm,
} from "@isthmus/core";
import { type AdapterScaling, atRanksOf, type FactorPair, namesOfFactors, rankIn } from "@isthmus/federated";
import { type DigestedSource, digestReads } from "../store/digested-source.ts";
import { type ArrivingSource, readArriving } from "./arriving-source.ts";
import { addSquares, type SharedNorms, type SharedParts, sharedPairs } from "./change-norms.ts";
import { cutPieces, faultOf, negativeOf, withPieceReader } from "./tensor-pieces.ts";

/** The network whose tensors an update must have, and the names of tensors that are treated specially. */
export interface ScannedParts extends SharedParts {
  /** Names of running variances, whose elements must not be negative. */
  readonly variances: readonly string[];
  /** Largest rank of adapters; `null` for the rank of the network. */
  readonly rank: number | null;
  /** Scale of the products of adapters; undefined if it is not stated. */
  readonly adapters: AdapterScaling | undefined;
}

/** Inputs of the scan of an upload, as far as its bytes have arrived. */
export interface ScanRequest {
  /** Name of the client, of which one upload at a time is scanned. */
  readonly client: string;
  /** Number of the upload, which no other upload has that a server receives. */
  readonly upload: number;
  /** Path of the upload. */
  readonly path: string;
  /** Number of bytes that the upload will have. */
  readonly length: number;
  /** Number of bytes that its file has now. */
  readonly written: number;
  /** Tensors that an update must have; `null` if it is masked, so that only its bytes are digested. */
  readonly parts: ScannedParts | null;
}

/** Result of the scan of an upload, for which its bytes are read once. */
export interface ScannedUpload {
  /** SHA-256 of the bytes. */
  readonly hash: string;
  /** Reason why the bytes cannot be an update of any round; `null` if there is none. */
  readonly fault: string | null;
  /**
   * Squared norms of the tensors without factors of adapters, whose elements have no meaning by themselves;
   * complete if there is no fault.
   */
  readonly squares: Readonly<SharedNorms>;
}

/** Answer to a request to go on with a scan; `null` if bytes are still missing. */
export interface ScanAnswer {
  /** Result of the scan, `null` if bytes are still missing. */
  readonly scanned: ScannedUpload | null;
}

interface Scan {
  readonly upload: number;
  readonly source: ArrivingSource;
  readonly result: Promise<ScannedUpload>;
}

/** Scans under way in this thread, by client. */
const scans = new Map<string, Scan>();

/**
 * Goes on with the scan of an upload, to the bytes that its file has now. A scan that this thread does not
 * know begins with the first byte, as after the end of the thread that began it.
 */
export async function scanUpload(request: ScanRequest): Promise<ScanAnswer> {
  const { client, written } = request;
  let scan = scans.get(client);
  if (scan?.upload !== request.upload) {
    scan = beginScan(request);
    scans.set(client, scan);
  }
  const scanned = await scan.source.goOn(written, scan.result);
  if (scanned !== null) scans.delete(client);
  return { scanned };
}

function beginScan({ upload, path, length, parts }: ScanRequest): Scan {
  const source = readArriving(path, length, "the update");
  return { upload, source, result: scan(source, parts) };
}

/**
 * Reads all bytes once: digests them, and checks whether they are safetensors with the tensors of the network
 * and finite numbers. Bytes of a hostile client lead to a fault, never to an error.
 */
async function scan(source: ArrivingSource, parts: ScannedParts | null): Promise<ScannedUpload> {
  const digested = digestReads(source, source.arrived);
  const squares = { whole: 0, parameters: 0 };
  const fault = parts === null ? undefined : await findFault(digested, source, { parts, squares });
  return { hash: await digested.digest(), fault: fault ?? null, squares };
}

/** Opens an upload as safetensors, or returns the reason why it is none. */
async function openUpload(digested: DigestedSource): Promise<Checkpoint | string> {
  // Other formats are not read from clients: safetensors begin with the length of a header and a brace.
  const start = await digested.read(0, Math.min(9, digested.size));
  if (start[8] !== 0x7b) return "the bytes are not safetensors";
  try {
    return await openSafetensors(digested);
  } catch (error) {
    if (!isIsthmusError(error, "FormatError", "UnsupportedError")) throw error;
    return error.message;
  }
}

async function findFault(
  digested: DigestedSource,
  source: ArrivingSource,
  { parts, squares }: { readonly parts: ScannedParts; readonly squares: SharedNorms },
): Promise<string | undefined> {
  const update = await openUpload(digested);
  if (typeof update === "string") return update;
  const keep = new Set(parts.keep);
  const sent = sharedPart(update, keep);
  let pairs: readonly FactorPair[];
  const network = await openCheckpoint(parts.network);
  try {
    pairs = sharedPairs(network, parts.keep);
    const fault =
      faultOfStructure(sharedPart(network, keep), atRanksOf(sent, pairs)) ?? faultOfRanks(sent, pairs, parts);
    if (fault !== undefined) return fault;
  } finally {
    await network.close();
  }
  const factors = namesOfFactors(pairs);
  const places = positionsIn(update, source.size);
  const [statistics, variances] = [new Set(parts.averaged), new Set(parts.variances)];
  for (const piece of cutPieces(sent)) {
    const { name, dtype, begin, length } = piece;
    // No memory is held while bytes are missing, as hundreds of clients may be sending.
    await source.arrived(entry(places, name, "tensor") + (begin + length) * DTYPES[dtype].bytes);
    const fault = await withPieceReader(async (reader) => {
      const elements = await reader.read(update, piece);
      const problem = faultOf(piece, elements);
      if (problem !== undefined) return `its numbers must be finite: ${problem}`;
      const negative = variances.has(name) ? negativeOf(piece, elements) : undefined;
      if (negative !== undefined) return `its variances must not be negative: ${negative}`;
      if (!factors.has(name)) addSquares(squares, squaredNorm(elements), !statistics.has(name));
      return undefined;
    });
    if (fault !== undefined) return fault;
  }
  return undefined;
}

/** Returns the position of the first byte of each tensor; the last one ends with the file. */
function positionsIn({ tensors }: Checkpoint, size: number): ReadonlyMap<string, number> {
  const bytes = [...tensors].map(
    ([name, { dtype, shape }]) => [name, DTYPES[dtype].bytes * sizeOf(shape)] as const,
  );
  let end = size - bytes.reduce((sum, [, length]) => sum + length, 0);
  return new Map(
    bytes.map(([name, length]) => {
      const begin = end;
      end += length;
      return [name, begin];
    }),
  );
}

/** Returns the tensors of a network that clients do not keep to themselves. */
export function sharedPart(network: Checkpoint, keep: ReadonlySet<string>): Checkpoint {
  const names = [...network.tensors.keys()].filter((name) => !keep.has(name));
  return composeCheckpoint(new Map(names.map((name) => [name, { checkpoint: network, name }])), {
    source: network.source,
    metadata: network.metadata,
  });
}

function faultOfStructure(network: Checkpoint, update: Checkpoint): string | undefined {
  const renamed = (checkpoint: Checkpoint, source: string): Checkpoint => ({ ...checkpoint, source });
  const { same, message } = compareCheckpoints(
    renamed(network, "the network"),
    renamed(update, "the update"),
  );
  return same ? undefined : `its tensors must be those of the network: ${message}`;
}

/** Checks that adapters have the rank of the network, or another one whose scale is known. */
function faultOfRanks(
  update: Checkpoint,
  pairs: readonly FactorPair[],
  { rank: most, adapters }: ScannedParts,
): string | undefined {
  for (const pair of pairs) {
    const rank = rankIn(update, pair);
    if (rank === pair.rank || rank === undefined) continue;
    const attempt = `the rank of "${pair.module}" must be`;
    if (adapters === undefined && pair.alpha === undefined) {
      return `${attempt} that of the network, ${pair.rank}, as the scale of others is not known: it is ${rank}; the owner of the server may set "strategy.adapters"`;
    }
    if (rank > (most ?? pair.rank)) {
      return `${attempt} at most ${most ?? pair.rank}: it is ${rank}; the owner of the server may set "limits.rank"`;
    }
  }
  return undefined;
}
