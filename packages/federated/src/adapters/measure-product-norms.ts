import { at, type Checkpoint } from "@isthmus/core";
import type { ScaleOf } from "@isthmus/merging";
import type { FactorPair } from "./factor-pairs.ts";
import { readScaled } from "./low-rank.ts";
import { addProductGram } from "./measure-product-gram.ts";
import { productReader } from "./read-products.ts";

/** Pairs of factors whose products are measured, and their scales. */
export interface MeasuredProducts {
  /** Shared pairs of factors. */
  readonly pairs: readonly FactorPair[];
  /** Scale of the products, by module and rank. @defaultValue 1 */
  readonly scaleOf?: ScaleOf | undefined;
}

/** Computes the squared norm of the products of adapters in a network. */
export function squaredProducts(network: Checkpoint, { pairs, scaleOf }: MeasuredProducts): Promise<number> {
  return squareOf(network, pairs, (pair) => readScaled({ network, scaleOf }, pair));
}

/** Computes the squared norm of the change of these products by an update, which may have other ranks. */
export function squaredChange(
  network: Checkpoint,
  update: Checkpoint,
  { pairs, scaleOf }: MeasuredProducts,
): Promise<number> {
  const read = productReader(network, [{ client: "", examples: 1, network: update }], { scaleOf });
  return squareOf(network, pairs, (pair) => read(pair, 0));
}

async function squareOf(
  network: Checkpoint,
  pairs: readonly FactorPair[],
  read: (pair: FactorPair) => ReturnType<typeof readScaled>,
): Promise<number> {
  const gram = new Float64Array(1);
  await addProductGram(gram, { network, pairs, count: 1, read, onlyNorms: true, memory: 1 });
  return at(gram, 0);
}
