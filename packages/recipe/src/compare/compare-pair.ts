import {
  at,
  type Checkpoint,
  compareCheckpoints,
  entry,
  sameShape,
  sizeOf,
  sumOf,
  type TensorInfo,
} from "@isthmus/core";
import type { GrowthSigns, PairComparison, TensorPair, VocabularyPair } from "./comparison.ts";
import { findMovedRows, findMovedTokens } from "./moved-rows.ts";
import type { TensorSurvey } from "./survey-tensor.ts";
import { KINSHIP } from "./thresholds.ts";
import { findEmbedding } from "./token-names.ts";

/** Inputs of the comparison of two networks. */
export interface PairRequest {
  /** Position of network A in the comparison. */
  readonly a: number;
  /** Position of network B in the comparison. */
  readonly b: number;
  /** Measurements of the tensors of all networks; tensors that A or B lacks are left out. */
  readonly surveys: readonly TensorSurvey[];
  /** Most elements of each network that are read to find rows that have moved. */
  readonly search: number;
  /** Seed of the rows of embeddings that are sampled. */
  readonly seed: number;
}

/** One tensor of two networks A and B, with the sums from which distance and cosine are computed. */
interface PairSums {
  readonly survey: TensorSurvey;
  /** Squared norms of both tensors, and their scalar product. */
  readonly aa: number;
  readonly bb: number;
  readonly ab: number;
  /** Sum of the elements of B minus the sum of the elements of A. */
  readonly rise: number;
  readonly kinship: number | null;
  /** Kurtosis of both tensors; null for vectors and small matrices. */
  readonly kurtosis: readonly [number, number] | null;
  readonly equal: boolean;
}

/** Compares two networks by the surveys of their tensors. It reads more only to find rows that have moved. */
export async function comparePair(
  networks: readonly Checkpoint[],
  { a, b, surveys, search, seed }: PairRequest,
): Promise<PairComparison> {
  const pair = [at(networks, a, "network"), at(networks, b, "network")] as const;
  const sums = surveys.flatMap((survey) => sumsOf(survey, a, b));
  const numbers = sums.filter(({ survey }) => survey.float);
  const structure = compareStructure(...pair);
  const related = numbers.flatMap(({ kinship }) => (kinship === null ? [] : [kinship]));
  const kinship = median(related);
  return {
    a,
    b,
    ...structure,
    identical: isSameStructure(structure) && sums.every(({ equal }) => equal),
    offset: offsetOf(numbers),
    ...measureWhole(numbers),
    kinship,
    matrices: related.length,
    growth: measureGrowth(numbers),
    moved: await searchRows(pair, numbers, search),
    vocabulary: await compareVocabularies(pair, numbers, { search, seed, kinship }),
    alignment: null,
    tensors: numbers.map(describeTensor),
  };
}

function sumsOf(survey: TensorSurvey, a: number, b: number): PairSums[] {
  const { members, products, sums, kinship, kurtosis, equal } = survey;
  const [i, j] = [members.indexOf(a), members.indexOf(b)];
  if (i < 0 || j < 0) return [];
  const [row, column] = [at(products, i, "row"), at(products, j, "row")];
  return [
    {
      survey,
      aa: at(row, i, "product"),
      bb: at(column, j, "product"),
      ab: at(row, j, "product"),
      rise: at(sums, j, "sum") - at(sums, i, "sum"),
      kinship: kinship === null ? null : at(at(kinship, i, "row"), j, "kinship"),
      kurtosis: kurtosis === null ? null : [at(kurtosis, i, "network"), at(kurtosis, j, "network")],
      equal: at(at(equal, i, "row"), j, "flag"),
    },
  ];
}

function measureGrowth(numbers: readonly PairSums[]): GrowthSigns | null {
  const matrices = numbers.flatMap(({ aa, bb, ab, kurtosis }) =>
    kurtosis === null ? [] : [{ aa, bb, ab, kurtosis }],
  );
  if (matrices.length === 0) return null;
  const shareOfGrown = (rises: readonly number[]) =>
    sumOf(rises.map((rise) => (1 + Math.sign(rise)) / 2)) / rises.length;
  return {
    kurtosis: shareOfGrown(matrices.map(({ kurtosis: [a, b] }) => b - a)),
    norm: shareOfGrown(matrices.map(({ aa, bb }) => bb - aa)),
    length: Math.sqrt(Math.max(0, sumOf(matrices.map(({ aa, bb, ab }) => aa + bb - 2 * ab)))),
  };
}

type Structure = Pick<PairComparison, "onlyA" | "onlyB" | "shapes" | "dtypes" | "shared">;

function compareStructure(a: Checkpoint, b: Checkpoint): Structure {
  const { differences } = compareCheckpoints(a, b);
  const both = (name: string): readonly [TensorInfo, TensorInfo] => [
    entry(a.tensors, name, "tensor"),
    entry(b.tensors, name, "tensor"),
  ];
  const namesOf = (kind: string) =>
    differences.filter((difference) => difference.kind === kind).map(({ name }) => name);
  const missing = namesOf("missing");
  const common = [...a.tensors].filter(([name, { shape }]) => {
    const other = b.tensors.get(name);
    return other !== undefined && sameShape(shape, other.shape);
  });
  const size = ({ tensors }: Checkpoint) => sumOf([...tensors.values()].map(({ shape }) => sizeOf(shape)));
  const larger = Math.max(size(a), size(b));
  // A tensor whose shape differs is not looked at for its type.
  const typed = common.filter(([name, { dtype }]) => dtype !== entry(b.tensors, name, "tensor").dtype);
  return {
    onlyA: missing.filter((name) => a.tensors.has(name)),
    onlyB: missing.filter((name) => b.tensors.has(name)),
    shapes: namesOf("shape").map((name) => {
      const [one, two] = both(name);
      return { name, a: one.shape, b: two.shape };
    }),
    dtypes: typed.map(([name]) => {
      const [one, two] = both(name);
      return { name, a: one.dtype, b: two.dtype };
    }),
    shared: {
      tensors: shareOf(common.length, Math.max(a.tensors.size, b.tensors.size)),
      parameters: shareOf(sumOf(common.map(([, { shape }]) => sizeOf(shape))), larger),
    },
  };
}

const shareOf = (part: number, whole: number) => (whole === 0 ? 1 : part / whole);

function isSameStructure({ onlyA, onlyB, shapes, dtypes }: Structure): boolean {
  return onlyA.length + onlyB.length + shapes.length + dtypes.length === 0;
}

function measureWhole(numbers: readonly PairSums[]): Pick<PairComparison, "norms" | "distance" | "cosine"> {
  const [aa, bb, ab] = [
    sumOf(numbers.map((sums) => sums.aa)),
    sumOf(numbers.map((sums) => sums.bb)),
    sumOf(numbers.map((sums) => sums.ab)),
  ];
  const isEqual = numbers.length > 0 && numbers.every(({ equal }) => equal);
  return {
    norms: [Math.sqrt(aa), Math.sqrt(bb)],
    distance: isEqual ? 0 : distanceOf(aa, bb, ab),
    cosine: cosineOf(aa, bb, ab),
  };
}

function distanceOf(aa: number, bb: number, ab: number): number | null {
  const scale = Math.sqrt(aa * bb);
  return scale > 0 ? Math.sqrt(Math.max(0, aa + bb - 2 * ab) / scale) : null;
}

function cosineOf(aa: number, bb: number, ab: number): number | null {
  const scale = Math.sqrt(aa * bb);
  return scale > 0 ? Math.min(1, Math.max(-1, ab / scale)) : null;
}

function describeTensor({ survey, aa, bb, ab, kinship, equal }: PairSums): TensorPair {
  return {
    name: survey.name,
    distance: equal ? 0 : distanceOf(aa, bb, ab),
    cosine: cosineOf(aa, bb, ab),
    kinship,
    sampled: survey.sampled,
  };
}

/**
 * Largest variance of the differences that rounding explains, relative to the squared offset, and largest
 * deviation of the offsets of tensors, relative to the offset.
 */
const [SPREAD, AMONG] = [1e-3, 1e-2];

/**
 * Returns the constant by which B exceeds A in every element of every tensor; null if the differences vary or
 * are 0.
 */
function offsetOf(numbers: readonly PairSums[]): number | null {
  const steps = numbers.map(({ survey, rise }) => (survey.size === 0 ? 0 : rise / survey.size));
  const [first = 0] = steps;
  if (first === 0 || !steps.every((step) => Math.abs(step - first) <= AMONG * Math.abs(first))) return null;
  const isConstant = numbers.every(({ aa, bb, ab, survey }, i) => {
    const square = at(steps, i, "step") ** 2;
    return Math.abs((aa + bb - 2 * ab) / survey.size - square) <= SPREAD * square;
  });
  return isConstant ? first : null;
}

function median(numbers: readonly number[]): number | null {
  if (numbers.length === 0) return null;
  const sorted = [...numbers].sort((x, y) => x - y);
  const half = Math.floor(sorted.length / 2);
  const upper = at(sorted, half, "number");
  return sorted.length % 2 === 1 ? upper : (upper + at(sorted, half - 1, "number")) / 2;
}

function searchRows(
  pair: readonly [Checkpoint, Checkpoint],
  numbers: readonly PairSums[],
  most: number,
): Promise<PairComparison["moved"]> | null {
  const strange = numbers.filter(({ kinship }) => kinship !== null && kinship < KINSHIP.close);
  const names = strange
    .map(({ survey }) => survey.name)
    .filter((name) => {
      const [a, b] = pair.map(({ tensors }) => entry(tensors, name, "tensor").shape);
      return a !== undefined && b !== undefined && sameShape(a, b);
    });
  return names.length === 0 ? null : findMovedRows({ networks: pair, names, most });
}

async function compareVocabularies(
  pair: readonly [Checkpoint, Checkpoint],
  numbers: readonly PairSums[],
  { search, seed, kinship: whole }: Pick<PairRequest, "search" | "seed"> & Pick<PairComparison, "kinship">,
): Promise<VocabularyPair | null> {
  const [tensor, other] = pair.map(findEmbedding);
  if (tensor === undefined || tensor !== other) return null;
  const shapes = pair.map(({ tensors }) => entry(tensors, tensor, "tensor").shape);
  const sums = numbers.find(({ survey }) => survey.name === tensor);
  const rows = [at(at(shapes, 0), 0, "size"), at(at(shapes, 1), 0, "size")] as const;
  const kinship = sums?.kinship ?? null;
  const sizes = shapes.map(sizeOf);
  // If units of all other tensors are in different orders, columns of embeddings are, too.
  const isSearched =
    (whole === null || whole >= KINSHIP.least) &&
    kinship !== null &&
    kinship < KINSHIP.close &&
    sizes.every((size) => size <= search) &&
    at(at(shapes, 0), 1) === at(at(shapes, 1), 1);
  return { tensor, rows, kinship, moved: isSearched ? await findMovedTokens(pair, tensor, seed) : null };
}
