import { sameShape, type Tensor, toFloat32 } from "@isthmus/core";
import type { TensorPool } from "./tensor-pool.ts";
import type { FoldedNorm } from "./weight-binding.ts";

/** A convolution with a batch norm behind it, as tensors of a checkpoint. */
export interface FoldedConvolution {
  readonly kernel: string;
  readonly bias: string | undefined;
  readonly norm: FoldedNorm;
}

/** What frameworks add to variances. */
const EPSILONS = [1e-5, 1e-3, 1e-6, 1e-4, 1e-2] as const;

/** Largest relative difference of a folded value: folding rounds in f32, in an order we do not know. */
const TOLERANCE = 1e-4;

/**
 * Finds the convolution and the batch norm that a kernel and a bias were folded from, by their values: each output's kernel
 * is a multiple of the checkpoint's, and some scale over the root of some variance is that multiple.
 */
export async function findFoldedNorm(
  pool: TensorPool,
  { kernel, bias }: { readonly kernel: Tensor; readonly bias: Tensor },
): Promise<FoldedConvolution | undefined> {
  const folded = toFloat32(kernel.data, kernel.dtype);
  const outputs = kernel.shape[0] ?? 1;
  for (const name of pool.ofSize(folded.length)) {
    if (!sameShape(pool.shapeOf(name), kernel.shape)) continue;
    const factors = findFactors(folded, await pool.read(name), outputs);
    if (factors === undefined) continue;
    const found = await findNorm(pool, { kernel: name, factors, bias: toFloat32(bias.data, bias.dtype) });
    if (found !== undefined) return found;
  }
  return undefined;
}

/** What each output's kernel was multiplied by, `[outputs]`; undefined if they are not multiples. */
function findFactors(folded: Float32Array, own: Float32Array, outputs: number): Float64Array | undefined {
  const width = folded.length / outputs;
  const factors = new Float64Array(outputs);
  for (let o = 0; o < outputs; o++) {
    let product = 0;
    let square = 0;
    let largest = 0;
    for (let i = o * width; i < (o + 1) * width; i++) {
      product += (folded[i] as number) * (own[i] as number);
      square += (own[i] as number) ** 2;
      largest = Math.max(largest, Math.abs(folded[i] as number));
    }
    const factor = square === 0 ? 0 : product / square;
    for (let i = o * width; i < (o + 1) * width; i++) {
      if (Math.abs((folded[i] as number) - factor * (own[i] as number)) > TOLERANCE * largest)
        return undefined;
    }
    factors[o] = factor;
  }
  return factors;
}

interface Sought {
  readonly kernel: string;
  readonly factors: Float64Array;
  readonly bias: Float32Array;
}

async function findNorm(pool: TensorPool, sought: Sought): Promise<FoldedConvolution | undefined> {
  const names = pool.ofSize(sought.factors.length).filter((name) => pool.shapeOf(name).length === 1);
  const vectors = new Map<string, Float32Array>();
  for (const name of names) vectors.set(name, await pool.readVector(name));
  const scales = nearest(pairsOf(names), (pair) => commonPrefix(pair)).flatMap(([scale, variance]) =>
    EPSILONS.flatMap((epsilon) =>
      isFactor(sought.factors, [vectors.get(scale), vectors.get(variance)], epsilon)
        ? [{ scale, variance, epsilon }]
        : [],
    ),
  );
  for (const { scale, variance, epsilon } of scales) {
    for (const [offset, mean] of nearest(pairsOf(names), (pair) => commonPrefix([scale, ...pair]))) {
      for (const bias of [undefined, ownBias(sought.kernel, names)]) {
        const own = bias === undefined ? undefined : vectors.get(bias);
        if (!isBias(sought, [vectors.get(offset), vectors.get(mean)], own)) continue;
        return { kernel: sought.kernel, bias, norm: { scale, variance, offset, mean, epsilon } };
      }
    }
  }
  return undefined;
}

/** The bias that is named as the kernel is. */
function ownBias(kernel: string, names: readonly string[]): string | undefined {
  const name = kernel.replace(/weight$/, "bias");
  return name !== kernel && names.includes(name) ? name : undefined;
}

type Pair = readonly [string, string];

function pairsOf(names: readonly string[]): Pair[] {
  return names.flatMap((a) => names.flatMap((b): Pair[] => (a === b ? [] : [[a, b]])));
}

/** Those with the most in common first: vectors of equal numbers, as new norms have, are told apart by names only. */
function nearest(pairs: readonly Pair[], closeness: (pair: Pair) => number): Pair[] {
  return pairs
    .map((pair) => ({ pair, common: closeness(pair) }))
    .sort((a, b) => b.common - a.common)
    .map(({ pair }) => pair);
}

function commonPrefix(names: readonly string[]): number {
  const [first = "", ...others] = names;
  let length = 0;
  while (length < first.length && others.every((name) => name[length] === first[length])) length++;
  return length;
}

function isFactor(
  factors: Float64Array,
  [scale, variance]: readonly [Float32Array | undefined, Float32Array | undefined],
  epsilon: number,
): boolean {
  if (scale === undefined || variance === undefined) return false;
  for (let o = 0; o < factors.length; o++) {
    const wanted = (scale[o] as number) / Math.sqrt((variance[o] as number) + epsilon);
    if (!(Math.abs(wanted - (factors[o] as number)) <= TOLERANCE * Math.abs(wanted))) return false;
  }
  return true;
}

function isBias(
  { factors, bias }: Sought,
  [offset, mean]: readonly [Float32Array | undefined, Float32Array | undefined],
  own: Float32Array | undefined,
): boolean {
  if (offset === undefined || mean === undefined) return false;
  for (let o = 0; o < factors.length; o++) {
    const centred = ((own?.[o] ?? 0) - (mean[o] as number)) * (factors[o] as number);
    const size = Math.abs(centred) + Math.abs(offset[o] as number);
    if (!(Math.abs(centred + (offset[o] as number) - (bias[o] as number)) <= TOLERANCE * size)) return false;
  }
  return true;
}
