import { type Checkpoint, type Elements, squaredNorm, toFloat64 } from "@isthmus/core";
import { type FactorPair, findFactorPairs, namesOfFactors } from "@isthmus/federated";
import type { NormLimit } from "../config/federation-config.ts";
import { cutPieces, withPieceReader } from "./tensor-pieces.ts";

/** The network that a client began with, and the names of its kept and averaged tensors. */
export interface SharedParts {
  /** Path of the network. */
  readonly network: string;
  /** Names of tensors that clients keep to themselves: an update need not have them. */
  readonly keep: readonly string[];
  /** Names of averaged tensors such as running statistics, which count only for a limit that is a number. */
  readonly averaged: readonly string[];
}

/** Finds the pairs of factors in a network that clients send. */
export function sharedPairs(network: Checkpoint, keep: readonly string[] = []): readonly FactorPair[] {
  const personal = new Set(keep);
  const names = [...network.tensors.keys()];
  return findFactorPairs(
    network,
    new Map(names.map((name) => [name, personal.has(name) ? "keep" : "share"])),
  );
}

/** Adds the squared norm of products to norms. */
export const withProducts = (
  { whole, parameters }: Readonly<SharedNorms>,
  square: number,
): Readonly<SharedNorms> => ({
  whole: Math.sqrt(whole ** 2 + square),
  parameters: Math.sqrt(parameters ** 2 + square),
});

/**
 * Euclidean norms, or their squares, of all shared tensors together, and of the shared parameters without
 * statistics.
 */
export interface SharedNorms {
  /** Norm of all shared tensors together, or its square. */
  whole: number;
  /** Norm of the shared parameters without averaged tensors, or its square. */
  parameters: number;
}

/** Adds the squares of a piece of parameters or of statistics. */
export function addSquares(squares: SharedNorms, added: number, areParameters: boolean): void {
  squares.whole += added;
  if (areParameters) squares.parameters += added;
}

/** Returns norms from their squares. */
export const rootsOf = ({ whole, parameters }: SharedNorms): Readonly<SharedNorms> => ({
  whole: Math.sqrt(whole),
  parameters: Math.sqrt(parameters),
});

let last: { readonly key: string; readonly norms: Promise<Readonly<SharedNorms>> } | undefined;

/**
 * Measures the norms of a network without its adapters, and remembers them for the last one: most updates of
 * a round began with the same network, whose file never changes.
 */
export function normsOfNetwork(
  network: Checkpoint,
  { network: path, keep, averaged }: SharedParts,
): Promise<Readonly<SharedNorms>> {
  const key = JSON.stringify([path, keep, averaged]);
  if (last?.key === key) return last.norms;
  const norms = measureNetwork(network, new Set(averaged));
  last = { key, norms };
  // A file that could not be read may be readable the next time.
  norms.catch(() => {
    last = undefined;
  });
  return norms;
}

async function measureNetwork(network: Checkpoint, statistics: ReadonlySet<string>) {
  const squares = { whole: 0, parameters: 0 };
  const factors = namesOfFactors(sharedPairs(network));
  await withPieceReader(async (reader) => {
    for (const piece of cutPieces(network)) {
      if (factors.has(piece.name)) continue;
      addSquares(squares, squaredNorm(await reader.read(network, piece)), !statistics.has(piece.name));
    }
  });
  return rootsOf(squares);
}

/**
 * Measures the norms of the change of an update from the network that it began with, without factors of
 * adapters.
 */
export async function measureChange(
  network: Checkpoint,
  update: Checkpoint,
  {
    statistics,
    factors,
  }: { readonly statistics: ReadonlySet<string>; readonly factors: ReadonlySet<string> },
): Promise<Readonly<SharedNorms>> {
  const squares = { whole: 0, parameters: 0 };
  await withPieceReader((before) =>
    withPieceReader(async (after) => {
      for (const piece of cutPieces(network)) {
        if (factors.has(piece.name)) continue;
        const distance = squaredDistance(await before.read(network, piece), await after.read(update, piece));
        addSquares(squares, distance, !statistics.has(piece.name));
      }
    }),
  );
  return rootsOf(squares);
}

/** Computes the squared Euclidean distance of two pieces, added in f64. */
function squaredDistance(a: Elements, b: Elements): number {
  const [x, y] = [numbersOf(a), numbersOf(b)];
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += ((x[i] as number) - (y[i] as number)) ** 2;
  return sum;
}

/** Returns elements as numbers, without a copy if they are stored as f32. */
function numbersOf({ data, dtype }: Elements): Float32Array | Float64Array {
  return data instanceof Float32Array ? data : toFloat64(data, dtype);
}

/**
 * Largest norm of an update's change as a multiple of the norm of the network's parameters, if no limit is
 * set.
 */
const NORM_MULTIPLE = 1000;
/** Smallest norm of the network's parameters that is used for the limit: a network may begin at zeros. */
const LEAST_NORM = 1;

/**
 * Says why a change is too long, or returns `undefined` if it is not. Its norm must be a finite number in f32
 * in any case.
 *
 * With the limit `auto`, the change of the parameters may be {@link NORM_MULTIPLE} times as long as the norm
 * of the network's parameters; a norm below {@link LEAST_NORM} counts as that. Running statistics are left
 * out then: after one round on inputs that are not normalised, their norm may be many times that of the
 * parameters.
 * @param change - norms of the change by the update
 * @param network - norms of the network that it began with
 */
export function refusalOfChange(
  change: Readonly<SharedNorms>,
  network: Readonly<SharedNorms>,
  limit: NormLimit,
): string | undefined {
  const rule = "the norm of its change must be";
  const tell = (value: number): string => value.toPrecision(4);
  if (!Number.isFinite(Math.fround(change.whole))) {
    return `${rule} a number of f32: it is ${tell(change.whole)}`;
  }
  if (limit === "none") return undefined;
  if (limit !== "auto") {
    return change.whole <= limit ? undefined : `${rule} at most ${limit}: it is ${tell(change.whole)}`;
  }
  const most = NORM_MULTIPLE * Math.max(LEAST_NORM, network.parameters);
  if (change.parameters <= most) return undefined;
  return `${rule} at most ${tell(most)}, which is ${NORM_MULTIPLE} times that of the network, or of 1: it is ${tell(change.parameters)}; the owner of the server may set "limits.norm"`;
}
