import type { Tensor } from "@isthmus/core";
import type { DataSet, Engine, Graph } from "@isthmus/graph";
import { pairStatistics } from "../activations/activation-statistics.ts";
import type { UnitStatistics } from "../activations/unit-moments.ts";
import type { MeasureInOrderOptions } from "./measure-in-order.ts";
import type { RepairSite } from "./repair-sites.ts";

/** Networks of one architecture. */
export interface RepairNetworks {
  readonly graph: Graph;
  readonly engine: Engine;
  readonly networks: readonly ReadonlyMap<string, Tensor>[];
}

/** `sum of w_i x_i` of a site over the networks. */
export function mix(parts: readonly Float64Array[], shares: readonly number[]): Float64Array {
  return Float64Array.from(parts[0] ?? [], (_, unit) =>
    parts.reduce((sum, part, network) => sum + (shares[network] ?? 0) * (part[unit] ?? 0), 0),
  );
}

/** Means, and covariances of all pairs of networks, of what is corrected at each site. */
export interface Joint {
  readonly means: readonly (readonly Float64Array[])[];
  /** By network and network, then by site. */
  readonly covariances: readonly (readonly (readonly Float64Array[])[])[];
}

/**
 * Measures the networks pair by pair, over the same examples.
 * @throws InputError if the data do not fit the graph, or activations are not finite f32
 */
export async function measureJoint(
  { graph, engine, networks }: RepairNetworks,
  data: DataSet,
  {
    sites,
    pass,
  }: {
    readonly sites: readonly RepairSite[];
    readonly pass: Pick<MeasureInOrderOptions, "batchSize" | "threads" | "signal">;
  },
): Promise<Joint> {
  // In the graph as it is, layers have no value before gain and shift.
  const views = sites.map((site) => ({
    value: site.kind === "linear" ? site.output : site.value,
    axes: [site.axis],
  }));
  const count = networks.length;
  const means: (readonly Float64Array[])[] = new Array(count);
  const covariances: (readonly Float64Array[])[][] = networks.map(() => new Array(count));
  const store = (i: number, j: number, own: readonly Float64Array[]) => {
    covariances[i]?.splice(j, 1, own);
    covariances[j]?.splice(i, 1, own);
  };
  for (const [i, j] of pairsOf(count)) {
    const [a, b] = [networks[i] ?? new Map(), networks[j] ?? new Map()];
    const found = await pairStatistics({ graph, engine, a, b }, data, views, { ...pass, pairs: "equal" });
    store(
      i,
      i,
      found.map((pair) => pair.a.variance),
    );
    store(
      j,
      j,
      found.map((pair) => pair.b.variance),
    );
    if (i !== j)
      store(
        i,
        j,
        found.map(({ covariance }) => covariance),
      );
    means[i] = found.map((pair) => pair.a.mean);
    means[j] = found.map((pair) => pair.b.mean);
  }
  return { means, covariances };
}

/** All pairs of different networks; a single one with itself. */
function pairsOf(count: number): (readonly [number, number])[] {
  if (count === 1) return [[0, 0]];
  return Array.from({ length: count }, (_, i) =>
    Array.from({ length: count - i - 1 }, (_, k) => [i, i + k + 1] as const),
  ).flat();
}

/** Mean and variance that a site of the combination has if everything before it is the average, too. */
export function expectStatistics(
  { means, covariances }: Joint,
  shares: readonly number[],
  site: number,
): Pick<UnitStatistics, "mean" | "variance"> {
  const mean = mix(
    means.map((own) => own[site] ?? new Float64Array()),
    shares,
  );
  const variance = mean.map((_, unit) => {
    let sum = 0;
    covariances.forEach((row, i) => {
      row.forEach((own, j) => {
        sum += (shares[i] ?? 0) * (shares[j] ?? 0) * (own[site]?.[unit] ?? 0);
      });
    });
    return Math.max(0, sum);
  });
  return { mean, variance };
}
