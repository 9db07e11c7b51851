import { type Checkpoint, DTYPES, sizeOf, toFloat64 } from "@isthmus/core";

/** Elements read at a time. */
const CHUNK = 1 << 18;

/** Options of {@link innerProducts}. */
export interface InnerProductsOptions {
  /** Names of the tensors that are counted. @defaultValue all floating-point ones of the first network */
  readonly tensors?: readonly string[] | undefined;
}

/**
 * Inner products of directions between networks, weights taken as one long vector; sums in f64.
 *
 * Every direction is a weighted sum of the networks, made element by element before anything is added up, so that small
 * differences of large weights keep their digits: `[-1, 1]` of two networks is the way from one to the other, and its product
 * with itself the square of their distance.
 * @param networks - at least one, of the same names and shapes
 * @param directions - weights of the networks, `[directions][networks]`
 * @returns `[directions][directions]`, symmetric
 */
export async function innerProducts(
  networks: readonly Checkpoint[],
  directions: readonly (readonly number[])[],
  { tensors }: InnerProductsOptions = {},
): Promise<number[][]> {
  const products = directions.map(() => new Float64Array(directions.length));
  for (const name of tensors ?? floatTensors(networks[0])) {
    const size = sizeOf(networks[0]?.tensors.get(name)?.shape ?? []);
    for (let begin = 0; begin < size; begin += CHUNK) {
      const end = Math.min(begin + CHUNK, size);
      const parts = await Promise.all(networks.map((network) => readFloats(network, name, [begin, end])));
      addProducts(
        directions.map((weights) => sumOf(parts, weights)),
        products,
      );
    }
  }
  return products.map((row) => [...row]);
}

function floatTensors(network: Checkpoint | undefined): string[] {
  return [...(network?.tensors ?? [])].filter(([, { dtype }]) => DTYPES[dtype].float).map(([name]) => name);
}

async function readFloats(
  network: Checkpoint,
  name: string,
  [begin, end]: readonly [number, number],
): Promise<Float64Array> {
  const data = await network.readRange(name, begin, end);
  return toFloat64(data, network.tensors.get(name)?.dtype ?? "f32");
}

function sumOf(parts: readonly Float64Array[], weights: readonly number[]): Float64Array {
  const sum = new Float64Array(parts[0]?.length ?? 0);
  parts.forEach((part, k) => {
    const weight = weights[k] ?? 0;
    if (weight === 0) return;
    for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] ?? 0) + weight * (part[i] ?? 0);
  });
  return sum;
}

function addProducts(vectors: readonly Float64Array[], products: readonly Float64Array[]): void {
  vectors.forEach((left, i) => {
    vectors.slice(0, i + 1).forEach((right, j) => {
      let sum = 0;
      for (let k = 0; k < left.length; k++) sum += (left[k] ?? 0) * (right[k] ?? 0);
      const [row, column] = [products[i], products[j]];
      if (row === undefined || column === undefined) return;
      row[j] = (row[j] ?? 0) + sum;
      column[i] = row[j] ?? 0;
    });
  });
}
