import { at, type Checkpoint, DTYPES, entry, MismatchError, sizeOf, toFloat64 } from "@isthmus/core";
import { addScaled, innerProduct } from "./kernels/vectors.ts";

/** Number of elements that are read at a time. */
const CHUNK = 1 << 18;

/** Options of {@link innerProducts}. */
export interface InnerProductsOptions {
  /** Names of the tensors that count. @defaultValue all floating-point tensors of the first network */
  readonly tensors?: readonly string[] | undefined;
}

/**
 * Computes the inner products of directions between networks, with all weights of a network as one vector;
 * sums are in f64.
 *
 * Every direction is a weighted sum of the networks, computed element by element before products are summed,
 * so that small differences of large weights keep their precision: `[-1, 1]` of two networks is the direction
 * from one to the other, and its product with itself is the square of their distance.
 * @param networks - at least one network, all with the same names and shapes
 * @param directions - factors of the networks, `[directions][networks]`
 * @returns `[directions][directions]`, symmetric
 * @throws MismatchError if a network lacks one of the tensors
 */
export async function innerProducts(
  networks: readonly Checkpoint[],
  directions: readonly (readonly number[])[],
  { tensors }: InnerProductsOptions = {},
): Promise<number[][]> {
  const products = directions.map(() => new Float64Array(directions.length));
  const first = at(networks, 0, "network");
  for (const name of tensors ?? floatTensors(first)) {
    const size = sizeOfTensor(first, name);
    for (let begin = 0; begin < size; begin += CHUNK) {
      const end = Math.min(begin + CHUNK, size);
      const parts = await Promise.all(networks.map((network) => readFloats(network, name, [begin, end])));
      addProducts(
        directions.map((direction) => sumOf(parts, direction)),
        products,
      );
    }
  }
  return products.map((row) => [...row]);
}

function floatTensors({ tensors }: Checkpoint): string[] {
  return [...tensors].filter(([, { dtype }]) => DTYPES[dtype].float).map(([name]) => name);
}

function sizeOfTensor({ tensors, source }: Checkpoint, name: string): number {
  const info = tensors.get(name);
  if (info !== undefined) return sizeOf(info.shape);
  throw new MismatchError(
    `Cannot measure "${name}" of "${source}" as there must be a tensor of that name: there is none`,
    { parameters: [name] },
  );
}

async function readFloats(
  network: Checkpoint,
  name: string,
  [begin, end]: readonly [number, number],
): Promise<Float64Array> {
  const data = await network.readRange(name, begin, end);
  return toFloat64(data, entry(network.tensors, name, "tensor").dtype);
}

function sumOf(parts: readonly Float64Array[], direction: readonly number[]): Float64Array {
  const sum = new Float64Array(at(parts, 0, "network").length);
  for (const [k, part] of parts.entries()) {
    const factor = at(direction, k, "factor");
    if (factor !== 0) addScaled(sum, part, factor);
  }
  return sum;
}

function addProducts(vectors: readonly Float64Array[], products: readonly Float64Array[]): void {
  for (const [i, left] of vectors.entries()) {
    const row = at(products, i, "direction");
    for (const [j, right] of vectors.slice(0, i + 1).entries()) {
      const sum = at(row, j, "direction") + innerProduct(left, right);
      row[j] = sum;
      at(products, j, "direction")[i] = sum;
    }
  }
}
