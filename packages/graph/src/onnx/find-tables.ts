import { at, DTYPES, groupBy, sizeOf, type Tensor, toFloat64 } from "@isthmus/core";

/** Threshold below which numbers stand for minus infinity, as in attention masks. */
export const MASKED = -1e30;

/** Minimum number of elements of a table: fewer numbers could fit the rules by chance. */
const LEAST = 16;

/** Largest relative difference of the squares of cosines and sines from their mean. */
const TOLERANCE = 1e-2;

/**
 * Finds the floating-point tensors of a file that belong to the architecture, by their contents: cosines and
 * sines of the same angles, by which rotary embeddings rotate pairs of dimensions, and attention masks of
 * zeros and numbers that stand for minus infinity. Exporters store such tables if the length of texts is
 * fixed.
 */
export function findTables(tensors: ReadonlyMap<string, Tensor>): ReadonlySet<string> {
  const large = [...tensors].filter(
    ([, { dtype, shape }]) => DTYPES[dtype].float && shape.length > 1 && sizeOf(shape) >= LEAST,
  );
  const alone = large.filter(([, tensor]) => isMask(tensor) || isBoth(tensor)).map(([name]) => name);
  const candidates = large.map(([name, tensor]) => ({ name, tensor, first: firstNumbers(tensor, LEAST) }));
  const byShape = groupBy(candidates, ({ tensor }) => `${tensor.dtype} ${tensor.shape.join()}`);
  return new Set([...alone, ...[...byShape.values()].flatMap(circlesOf)]);
}

/** A tensor that may be a table of cosines or sines, and its first numbers. */
interface Candidate {
  readonly name: string;
  readonly tensor: Tensor;
  readonly first: Float64Array;
}

/**
 * Finds the tensors of one shape that are cosines or sines, and whose partner is among the candidates, too.
 */
function circlesOf(candidates: readonly Candidate[]): string[] {
  return candidates.flatMap((one, index) => {
    // For almost all weights the first numbers already show that they are not tables.
    const others = candidates.slice(index + 1).filter((other) => areCircles(one.first, other.first));
    const partners = others.filter((other) => {
      const [values, more] = [allNumbers(one.tensor), allNumbers(other.tensor)];
      return areCircles(values, more) && isVaried(values) && isVaried(more);
    });
    return partners.length === 0 ? [] : [one.name, ...partners.map(({ name }) => name)];
  });
}

/** Checks whether the halves of each row of a tensor are sines and cosines, or cosines and sines. */
function isBoth(tensor: Tensor): boolean {
  const { shape } = tensor;
  const width = at(shape, shape.length - 1, "axis");
  if (width % 2 !== 0) return false;
  const half = width / 2;
  if (!areCircles(...halves(firstNumbers(tensor, width), half))) return false;
  const whole = halves(allNumbers(tensor), half);
  return areCircles(...whole) && whole.every(isVaried);
}

function allNumbers({ data, dtype }: Tensor): Float64Array {
  return toFloat64(data, dtype);
}

function firstNumbers({ data, dtype }: Tensor, count: number): Float64Array {
  return toFloat64(data.subarray(0, count) as typeof data, dtype);
}

/** Splits rows into their first halves and their second halves. */
function halves(values: Float64Array, half: number): [Float64Array, Float64Array] {
  const isFirst = (index: number) => Math.floor(index / half) % 2 === 0;
  return [values.filter((_, i) => isFirst(i)), values.filter((_, i) => !isFirst(i))];
}

/** Checks whether the squares of two lists of numbers have the same sum at each index. */
function areCircles(one: Float64Array, two: Float64Array): boolean {
  const radius = (one[0] as number) ** 2 + (two[0] as number) ** 2;
  if (!(radius > 0 && Number.isFinite(radius))) return false;
  return one.every(
    (value, i) => Math.abs(value ** 2 + (two[i] as number) ** 2 - radius) < TOLERANCE * radius,
  );
}

/** Checks whether a list contains more than two different numbers, unlike new gains and offsets. */
function isVaried(values: Float64Array): boolean {
  const different = new Set<number>();
  for (const value of values) {
    different.add(value);
    if (different.size > 2) return true;
  }
  return false;
}

/** Checks whether a tensor contains only zeros and numbers that stand for minus infinity. */
function isMask(tensor: Tensor): boolean {
  const isMasking = (values: Float64Array) => values.every((value) => value === 0 || value < MASKED);
  if (!isMasking(firstNumbers(tensor, LEAST))) return false;
  const values = allNumbers(tensor);
  return isMasking(values) && values.includes(0) && values.some((value) => value !== 0);
}
