import { at, type Checkpoint } from "@isthmus/core";
import type { Architecture, DataSet } from "@isthmus/graph";
import { pairStatistics } from "../activations/activation-statistics.ts";
import type { UnitStatistics } from "../activations/unit-moments.ts";
import type { MeasureInOrderOptions } from "./measure-in-order.ts";
import type { RepairSite } from "./repair-sites.ts";

/** Computes the weighted sum over networks `sum of w_i x_i` for each unit of a site. */
export function mix(parts: readonly Float64Array[], shares: readonly number[]): Float64Array {
  return at(parts, 0, "network").map((_, unit) =>
    parts.reduce((sum, part, network) => sum + at(shares, network, "share") * at(part, unit, "unit"), 0),
  );
}

/** Means, and covariances of all pairs of networks, of the value that is corrected at each site. */
export interface Joint {
  /** Means by network, then by site. */
  readonly means: readonly (readonly Float64Array[])[];
  /** Covariances by first and second network, then by site. */
  readonly covariances: readonly (readonly (readonly Float64Array[])[])[];
}

/**
 * Measures the networks pair by pair, over the same examples.
 * @throws InputError if the data do not fit the graph, or activations are not finite f32
 */
export async function measureJoint(
  { graph, engine }: Architecture,
  networks: readonly Checkpoint[],
  data: DataSet,
  {
    sites,
    pass,
  }: {
    readonly sites: readonly RepairSite[];
    readonly pass: Pick<MeasureInOrderOptions, "batchSize" | "threads" | "signal">;
  },
): Promise<Joint> {
  // Without gains and shifts the graph has no value before them, so outputs of layers are measured.
  const views = sites.map((site) => ({
    value: site.kind === "linear" ? site.output : site.value,
    axes: [site.axis],
  }));
  const count = networks.length;
  const means: (readonly Float64Array[])[] = new Array(count);
  const covariances: (readonly Float64Array[])[][] = networks.map(() => new Array(count));
  const store = (i: number, j: number, bySite: readonly Float64Array[]) => {
    at(covariances, i, "network")[j] = bySite;
    at(covariances, j, "network")[i] = bySite;
  };
  for (const [i, j] of pairsOf(count)) {
    const [a, b] = [at(networks, i, "network"), at(networks, j, "network")];
    const pairs = await pairStatistics({ graph, engine }, [a, b], data, { views, ...pass, pairs: "equal" });
    const variancesA = pairs.map((pair) => pair.a.variance);
    const variancesB = pairs.map((pair) => pair.b.variance);
    store(i, i, variancesA);
    store(j, j, variancesB);
    if (i !== j) {
      const bySite = pairs.map(({ covariance }) => covariance);
      store(i, j, bySite);
    }
    means[i] = pairs.map((pair) => pair.a.mean);
    means[j] = pairs.map((pair) => pair.b.mean);
  }
  return { means, covariances };
}

/** Returns all pairs of different networks, or of a single network with itself. */
function pairsOf(count: number): (readonly [number, number])[] {
  if (count === 1) return [[0, 0]];
  return Array.from({ length: count }, (_, i) =>
    Array.from({ length: count - i - 1 }, (_, k) => [i, i + k + 1] as const),
  ).flat();
}

/**
 * Computes the mean and variance that a site of the
 * combination has if all values before it are averages, too.
 */
export function expectStatistics(
  { means, covariances }: Joint,
  shares: readonly number[],
  site: number,
): Pick<UnitStatistics, "mean" | "variance"> {
  const mean = mix(
    means.map((bySite) => at(bySite, site, "site")),
    shares,
  );
  const variance = mean.map((_, unit) => {
    let sum = 0;
    for (const [i, row] of covariances.entries()) {
      for (const [j, bySite] of row.entries()) {
        const product = at(shares, i, "share") * at(shares, j, "share");
        sum += product * at(at(bySite, site, "site"), unit, "unit");
      }
    }
    return Math.max(0, sum);
  });
  return { mean, variance };
}
