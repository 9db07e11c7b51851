import { at, type Checkpoint, entry, MismatchError, toFloat64 } from "@isthmus/core";
import { createMatrix, type MatrixProducts } from "@isthmus/linear-algebra";
import { shrinkOffDiagonal } from "../kernels/weighted-products.ts";
import { addToSystem, emptySystem, solveSystem } from "../matrices/gram-system.ts";

/** Options of {@link solveWeight}. */
export interface SolveWeightOptions {
  /** Factor of the products of different inputs, in `[0, 1]`. */
  readonly offDiagonal: number;
  /** Multiplier of matrices, for Gram matrices and for the solution. */
  readonly products: MatrixProducts;
}

/**
 * Solves the weight of a linear layer by RegMean, in f64: `(sum of W_i G_i) (sum of G_i)^-1`.
 * @param name - name of the weight `[outputs, inputs]` in each network, and of each Gram matrix
 * @throws MismatchError if the sum of the Gram matrices is not positive definite
 */
export async function solveWeight(
  name: string,
  networks: readonly Checkpoint[],
  grams: readonly Checkpoint[],
  { offDiagonal, products }: SolveWeightOptions,
): Promise<Float64Array> {
  const { shape } = entry(at(networks, 0).tensors, name, "tensor");
  const [outputs = 0, inputs = 0] = shape;
  const system = emptySystem(outputs, inputs);
  for (const [i, network] of networks.entries()) {
    const gram = await readNumbers(at(grams, i), name);
    shrinkOffDiagonal(gram, inputs, offDiagonal);
    const weight = createMatrix(outputs, inputs, await readNumbers(network, name));
    await addToSystem(system, weight, createMatrix(inputs, inputs, gram), products);
  }
  const solved = await solveSystem(system, products);
  if (solved === undefined) throw singular(name, grams);
  return solved.data as Float64Array;
}

async function readNumbers(checkpoint: Checkpoint, name: string): Promise<Float64Array> {
  const { data, dtype } = await checkpoint.read(name);
  return toFloat64(data, dtype);
}

function singular(name: string, grams: readonly Checkpoint[]): MismatchError {
  return new MismatchError(
    `Cannot merge "${name}" by RegMean as the sum of ${grams.length} Gram matrices must be positive definite: it is not; ` +
      "measure it on more examples, or lower offDiagonal",
    { parameters: [name] },
  );
}
