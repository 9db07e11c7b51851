import { at, blendInto, type Checkpoint, sizeOf, squaredNorm, sumOf } from "@isthmus/core";
import { type Alignment, permute, type SymmetrySpec } from "@isthmus/symmetry";

/**
 * Computes the sum over all pairs of networks of the inner products of their weights in the universe, in f64.
 *
 * It is half of the squared norm of the sum of the networks, less half of the sum of their squared norms.
 *
 * @param networks - their parameters as f32
 * @param universe - for each, the alignment that permutes it into the universe
 */
export async function pairsObjective(
  networks: readonly Checkpoint[],
  universe: readonly Alignment[],
  spec: SymmetrySpec,
): Promise<number> {
  const placed = networks.map((network, i) => permute(at(universe, i, "alignment"), network, spec));
  let objective = 0;
  for (const [name, { shape }] of at(networks, 0, "network").tensors) {
    const sum = { dtype: "f64" as const, data: new Float64Array(sizeOf(shape)) };
    for (const network of placed) {
      const term = { dtype: "f32" as const, data: (await network.read(name)).data };
      blendInto([sum, term], [1, 1], sum);
      objective -= squaredNorm(term) / 2;
    }
    objective += squaredNorm(sum) / 2;
  }
  return objective;
}

/** Computes a number that the objective of no universe exceeds: the sum of products of norms of all pairs. */
export async function pairsLimit(networks: readonly Checkpoint[]): Promise<number> {
  const norms: number[] = [];
  for (const network of networks) {
    let sum = 0;
    for (const name of network.tensors.keys()) {
      sum += squaredNorm({ dtype: "f32", data: (await network.read(name)).data });
    }
    norms.push(Math.sqrt(sum));
  }
  const total = sumOf(norms);
  return norms.reduce((sum, norm) => sum + (norm * (total - norm)) / 2, 0);
}
