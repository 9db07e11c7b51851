import { at, entry, OutOfRangeError } from "@isthmus/core";
import { average } from "@isthmus/interpolation";
import type { Journal, JournalRun } from "@isthmus/tasks";
import type { EvaluatedArchitecture } from "../create-corrected-evaluator.ts";
import type { MapGround, MappedPair } from "../map-result.ts";
import { measurePlane } from "../measure-plane.ts";
import type { PlaneModels, PlaneSubject } from "../plane-options.ts";
import { MAP_ATTEMPT, type ResolvedMapOptions } from "./map-options.ts";
import type { StageNetwork } from "./measure-stage.ts";

/** Area of a triangle, as a share of the square of the longest distance, below which it is a line. */
const SAME = 1e-6;

/** Context of the measurement of the ground. */
interface GroundTools extends EvaluatedArchitecture {
  readonly options: ResolvedMapOptions;
  /** Journal of the map, which stores finished rows. */
  readonly journal: Journal;
  /** Called with the share of the ground that is measured, in `[0, 1]`. */
  readonly onShare: (done: number) => void;
}

/**
 * Measures the losses on the plane through three networks of a map, and the places of all others and of their
 * mean on it.
 * @param networks - aligned networks, a star last
 * @param pairs - their distances
 * @throws OutOfRangeError if the three networks lie on one line
 */
export async function measureGround(
  networks: readonly StageNetwork[],
  pairs: readonly MappedPair[],
  { graph, engine, data, options, journal, onShare }: GroundTools,
): Promise<MapGround> {
  const { ground: points, statistics, statisticsData, batchSize, signal } = options;
  const spanning = spanningOf(networks.length, pairs, options.through);
  const mean = average(networks.filter(({ role }) => role === "network").map(({ network }) => network));
  const subjects = [...networks.map(({ network }) => network), mean].map(
    (network, i): PlaneSubject => ({ label: String(i), network }),
  );
  const subject = (k: number) => at(subjects, at(spanning, k, "network"), "network");
  const models: PlaneModels = [subject(0), subject(1), subject(2)];
  const placed = subjects.filter((one) => !models.includes(one));
  // Rows of several grounds share the journal of the map: their keys say all that decides their numbers.
  const openRows = async (run: JournalRun) => {
    const keyOf = (row: string) => `ground ${JSON.stringify(run)} ${row}`;
    return {
      has: (row: string) => journal.has(keyOf(row)),
      get: (row: string, compute: () => Promise<readonly number[]>) => journal.get(keyOf(row), compute),
    };
  };
  const plane = await measurePlane({ graph, engine }, models, data, {
    points,
    placed,
    statistics,
    statisticsData,
    batchSize,
    signal,
    openRows,
    onProgress: ({ done }) => onShare(done),
  });
  return {
    stage: "after",
    xs: plane.xs,
    ys: plane.ys,
    basis: [
      [1, 0],
      [0, 1],
    ],
    loss: plane.loss,
    error: plane.error,
    networks: plane.models.map(({ label, x, y, distance }) => ({ network: Number(label), x, y, distance })),
    data: data.name,
    examples: data.size,
  };
}

/**
 * Checks the networks that the ground is to go through, before anything is measured.
 * @param n - number of all networks, a star included
 * @throws OutOfRangeError if they are no three different networks, or there is no ground
 */
export function assertThrough(
  n: number,
  { ground, through }: Pick<ResolvedMapOptions, "ground" | "through">,
): void {
  if (ground === 1) throw refuse("the ground needs at least 2 places on each side: got 1");
  if (ground > 0 && n < 3) throw refuse(`the ground needs at least three networks: got ${n}`);
  if (through === undefined) return;
  const named = through.join(" ");
  if (ground === 0) throw refuse(`--through is for the ground, of which there is none: got ${named}`);
  if (through.length !== 3 || new Set(through).size !== 3 || through.some((one) => one > n))
    throw refuse(`the ground needs the numbers of three different networks, from 1 to ${n}: got ${named}`);
}

const refuse = (rule: string) =>
  new OutOfRangeError(`Cannot ${MAP_ATTEMPT} as ${rule}; name three of them by --through, with --ground`);

/**
 * Chooses the three networks of the plane; by default the first, and the two with which it spans the largest
 * triangle.
 */
function spanningOf(
  n: number,
  pairs: readonly MappedPair[],
  through: readonly number[] | undefined,
): readonly number[] {
  const longest = Math.max(...pairs.map(({ distance }) => distance));
  const distances = new Map(pairs.map(({ a, b, distance }) => [`${a} ${b}`, distance]));
  const apart = (i: number, j: number) =>
    i === j ? 0 : entry(distances, `${Math.min(i, j)} ${Math.max(i, j)}`, "pair");
  const area = ([i = 0, j = 0, k = 0]: readonly number[]) => areaOf(apart(i, j), apart(j, k), apart(i, k));
  const others = Array.from({ length: n - 1 }, (_, i) => i + 1);
  const chosen =
    through?.map((one) => one - 1) ??
    others
      .flatMap((j) => others.filter((k) => k > j).map((k) => [0, j, k]))
      .reduce((largest, one) => (area(one) > area(largest) ? one : largest));
  if (area(chosen) > SAME * longest ** 2) return chosen;
  const numbers = chosen.map((one) => one + 1).join(" ");
  throw refuse(`three networks of the ground must not lie on one line once aligned: ${numbers} do`);
}

/** Computes the area of a triangle from its sides (Heron). */
function areaOf(a: number, b: number, c: number): number {
  const half = (a + b + c) / 2;
  return Math.sqrt(Math.max(0, half * (half - a) * (half - b) * (half - c)));
}
