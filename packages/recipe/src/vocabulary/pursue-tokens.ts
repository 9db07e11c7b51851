import { at, type Checkpoint, entry, InputError, sizeOf } from "@isthmus/core";
import { createMatrix, type MatrixProducts, matchPursuit, type PursuitAtoms } from "@isthmus/linear-algebra";
import type { BatchStore, TokenBatch } from "./batch-store.ts";
import type { RowCombinations } from "./combine-rows.ts";
import { gatherRows } from "./gather-rows.ts";

/** Tokens that are approximated in the space of one tensor of the donor of the tokenizer. */
export interface PursuedTokens {
  /** Donor of the tokenizer. */
  readonly donor: Checkpoint;
  /** Name of the donor's embedding or head. */
  readonly tensor: string;
  /** Rows of the tokens that both vocabularies have, in the donor, rising. */
  readonly shared: Int32Array;
  /** Rows of the same tokens in the model. */
  readonly sharedRows: Int32Array;
  /** Ids of the tokens to approximate, which are their rows in the donor. */
  readonly targets: Int32Array;
}

/** Options of {@link pursueTokens}. */
export interface PursueTokensOptions {
  /** Multiplier of matrices. */
  readonly products: MatrixProducts;
  /** Most shared tokens of an approximation. */
  readonly most: number;
  /** Whether shared tokens are chosen by their cosine. */
  readonly byCosine: boolean;
  /** Most bytes of memory. */
  readonly memory: number;
  /** Finished batches. @defaultValue none are kept */
  readonly store?: BatchStore | undefined;
  /** Called with a note for the user if an earlier process has finished some tokens. */
  readonly onNote?: ((note: string) => void) | undefined;
  /** Called with the share of the tokens that are finished. */
  readonly onProgress?: ((done: number) => void) | undefined;
  /** Signal that stops the work. */
  readonly signal?: AbortSignal | undefined;
}

/** Approximations of tokens by rows of the model. */
export interface PursuedRows {
  /** Combinations of the model's rows, one for each target. */
  readonly combinations: RowCombinations;
  /** `[targets]`: norm of what is left of a token in the donor's space, as a share of the token's norm. */
  readonly residuals: Float32Array;
}

/**
 * Approximates rows of the donor by sparse combinations of the rows of shared tokens, and returns the same
 * combinations of the model's rows of these tokens.
 */
export async function pursueTokens(
  tokens: PursuedTokens,
  options: PursueTokensOptions,
): Promise<PursuedRows> {
  const { donor, tensor, shared, targets } = tokens;
  const { products, byCosine, store, onProgress, signal } = options;
  const inner = rowLength(donor, tensor);
  const most = Math.min(options.most, shared.length);
  const batch = batchSizeOf(inner, most, options.memory);
  const atoms = await openAtoms(tokens, {
    inner,
    batch: Math.min(batch, targets.length),
    memory: options.memory,
  });
  const batches: TokenBatch[] = [];
  let finished = 0;
  for (let begin = 0; begin < targets.length; begin += batch) {
    const rows = targets.subarray(begin, begin + batch);
    const name = `${tensor.replaceAll(/[^\w.]/g, "_")}-${begin}-${rows.length}`;
    const earlier = await store?.read(name, rows.length);
    if (earlier !== undefined) {
      batches.push(earlier);
      finished += rows.length;
    } else {
      if (finished > 0) options.onNote?.(`Going on with "${tensor}": ${finished} tokens are approximated`);
      finished = 0;
      const data = await gatherRows(donor, { name: tensor, inner, rows });
      assertFinite(data, tokens);
      const points = createMatrix(rows.length, inner, data);
      const { indices, coefficients, residuals } = await matchPursuit(points, atoms, {
        products,
        most,
        byCosine,
        signal,
        onProgress: (done) => onProgress?.((begin + done * rows.length) / targets.length),
      });
      const batchOfRows = {
        indices,
        factors: Float32Array.from(coefficients),
        residuals: Float32Array.from(residuals),
      };
      await store?.write(name, batchOfRows);
      batches.push(batchOfRows);
    }
    onProgress?.(Math.min(1, (begin + batch) / targets.length));
  }
  return joinBatches(batches, tokens, most);
}

function assertFinite(data: Float32Array, { donor, tensor }: PursuedTokens): void {
  if (data.every(Number.isFinite)) return;
  throw new InputError(
    `Cannot approximate tokens by "${tensor}" of "${donor.source}" as all its numbers must be finite: a row has NaN or an infinity`,
    { input: donor.source },
  );
}

/** Returns the number of elements of a row of the donor's tensor. */
export function rowLength({ tensors }: Checkpoint, name: string): number {
  return sizeOf(entry(tensors, name, "tensor").shape.slice(1));
}

/** Most tokens that are approximated at a time. */
const MOST_AT_ONCE = 1024;

/** Returns how many tokens a quarter of the memory can hold with their orthonormal vectors. */
export function batchSizeOf(inner: number, most: number, memory: number): number {
  const bytes = 4 * most * inner + 8 * most * most + 24 * inner;
  return Math.max(1, Math.min(MOST_AT_ONCE, Math.floor(memory / 4 / bytes)));
}

/**
 * Most elements of the product of a batch with a block of shared tokens: 8 MB. Half the time of products of
 * 64 MB went into memory that the system hands out anew and clears for each.
 */
const MOST_SCORES = 2 ** 21;

interface AtomsOptions {
  readonly inner: number;
  readonly batch: number;
  readonly memory: number;
}

/** Opens the rows of shared tokens, held in memory if half of it suffices, otherwise read again each time. */
async function openAtoms(
  { donor, tensor, shared }: PursuedTokens,
  { inner, batch, memory }: AtomsOptions,
): Promise<PursuitAtoms> {
  const share = memory / 8 / 4;
  const scores = Math.min(share, MOST_SCORES);
  const length = Math.max(1, Math.min(2 ** 14, Math.floor(Math.min(share / inner, scores / batch))));
  const read = async (first: number) => {
    const rows = shared.subarray(first, first + length);
    return createMatrix(rows.length, inner, await gatherRows(donor, { name: tensor, inner, rows }));
  };
  const isHeld = 4 * inner * shared.length <= memory / 2;
  const held = new Map<number, Awaited<ReturnType<typeof read>>>();
  return {
    rows: shared.length,
    columns: inner,
    async *blocks() {
      for (let first = 0; first < shared.length; first += length) {
        const block = held.get(first) ?? (await read(first));
        if (isHeld) held.set(first, block);
        yield { first, block };
      }
    },
  };
}

function joinBatches(
  batches: readonly TokenBatch[],
  { targets, sharedRows }: PursuedTokens,
  most: number,
): PursuedRows {
  const offsets = new Int32Array(targets.length + 1);
  const residuals = new Float32Array(targets.length);
  const used = batches.reduce((sum, { indices }) => sum + indices.filter((index) => index >= 0).length, 0);
  const [rows, factors] = [new Int32Array(used), new Float32Array(used)];
  let [target, next] = [0, 0];
  for (const batch of batches) {
    for (let i = 0; i < batch.residuals.length; i++) {
      for (let k = i * most; k < (i + 1) * most; k++) {
        const index = at(batch.indices, k);
        if (index < 0) break;
        rows[next] = at(sharedRows, index);
        factors[next++] = at(batch.factors, k);
      }
      residuals[target++] = at(batch.residuals, i);
      offsets[target] = next;
    }
  }
  return { combinations: { offsets, rows, factors }, residuals };
}
