import { at, sumOf } from "@isthmus/core";
import type { NetworkTraits, PairComparison, TaskVectors } from "./comparison.ts";
import { findParents } from "./made-of.ts";
import type { TensorSurvey } from "./survey-tensor.ts";
import { APART, KINSHIP } from "./thresholds.ts";

/** The networks whose steps from a base are measured. */
export interface TaskRequest {
  /** The networks; no network that was made of others of them is guessed to be their base. */
  readonly networks: readonly Pick<NetworkTraits, "source" | "madeOf">[];
  /** Position of the base; null if the base is to be guessed. */
  readonly base: number | null;
  /** Measurements of the tensors of all networks, with their scalar products. */
  readonly surveys: readonly TensorSurvey[];
  /** Comparisons of all pairs, by which a base is guessed. */
  readonly pairs: readonly PairComparison[];
}

/**
 * Measures the steps from a base to the networks that were fine-tuned from it, and the cosines between these
 * steps, over the tensors that all networks have.
 *
 * If no base is named, it is guessed: the network from which the steps to the others are at large angles.
 * Seen from any other network, every step contains the way back to the base, so that the steps are about 45
 * to 60 degrees apart.
 * @returns null if no network looks like a base
 */
export function measureTaskVectors({ networks, base, surveys, pairs }: TaskRequest): TaskVectors | null {
  const count = networks.length;
  const gram = sumProducts(surveys, count);
  const of = (position: number, guessed: boolean): TaskVectors => ({
    ...stepsFrom(gram, position, guessed),
    conflicts: guessed ? null : measureConflicts(surveys, count, position),
  });
  if (base !== null) return of(base, false);
  if (count < 3 || pairs.some(({ kinship }) => kinship === null || kinship < KINSHIP.least)) return null;
  const candidates = gram.map((_, position) => of(position, true));
  const [best, second] = candidates.sort((x, y) => worstOf(x) - worstOf(y));
  if (best === undefined || second === undefined) return null;
  // The largest cosine seen from the base is clearly smaller than that seen from any other network.
  if (findParents(networks, best.base).length > 0) return null;
  return worstOf(best) < APART && worstOf(best) < worstOf(second) - 0.05 ? best : null;
}

function sumProducts(surveys: readonly TensorSurvey[], count: number): number[][] {
  const gram = Array.from({ length: count }, () => Array<number>(count).fill(0));
  for (const { members, products, float } of surveys) {
    if (!float || members.length < count) continue;
    for (const [i, row] of gram.entries()) {
      for (const j of row.keys()) row[j] = at(row, j) + at(at(products, i, "row"), j, "product");
    }
  }
  return gram;
}

function measureConflicts(surveys: readonly TensorSurvey[], count: number, base: number): number[][] | null {
  const tables = surveys.flatMap(({ members, overlaps }) =>
    overlaps === null || members.length < count ? [] : [overlaps],
  );
  if (tables.length === 0) return null;
  const networks = Array.from({ length: count }, (_, i) => i).filter((position) => position !== base);
  return networks.map((i) =>
    networks.map((j) => {
      const [a, b] = [Math.min(i, j), Math.max(i, j)];
      const sums = tables.map((table) => at(at(table, a, "row"), b, "sum"));
      const all = sumOf(sums.map(([, total = 0]) => total));
      return all === 0 ? 0 : sumOf(sums.map(([opposed = 0]) => opposed)) / all;
    }),
  );
}

function stepsFrom(
  gram: readonly (readonly number[])[],
  base: number,
  guessed: boolean,
): Omit<TaskVectors, "conflicts"> {
  const product = (i: number, j: number) => at(at(gram, i, "row"), j, "product");
  const stepProduct = (i: number, j: number) =>
    product(i, j) - product(i, base) - product(j, base) + product(base, base);
  const networks = [...gram.keys()].filter((position) => position !== base);
  const squares = networks.map((i) => Math.max(0, stepProduct(i, i)));
  const norm = Math.sqrt(product(base, base));
  return {
    base,
    guessed,
    networks,
    lengths: squares.map((square) => (norm === 0 ? 0 : Math.sqrt(square) / norm)),
    cosines: networks.map((i, k) =>
      networks.map((j, l) => {
        const scale = Math.sqrt(at(squares, k, "square") * at(squares, l, "square"));
        return scale === 0 ? 0 : Math.min(1, Math.max(-1, stepProduct(i, j) / scale));
      }),
    ),
  };
}

function worstOf({ cosines }: Pick<TaskVectors, "cosines">): number {
  return Math.max(...cosines.flatMap((row, i) => row.filter((_, j) => i !== j)));
}
