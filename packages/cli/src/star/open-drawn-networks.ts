import { at, type Checkpoint } from "@isthmus/core";
import { type FurtherPredictor, networksOnSimplex } from "@isthmus/ensemble";
import { type Architecture, type BoundArchitecture, type DataSet, limitExamples } from "@isthmus/graph";
import { FIND_STAR_DEFAULTS, networksOnRays, type RayDistribution } from "@isthmus/star-domain";
import { STATISTICS_EXAMPLES } from "@isthmus/statistics";
import type { OpenedArchitecture } from "@isthmus/zoo";
import type { Context } from "../verb.ts";
import { proveSymmetries } from "./prove-symmetries.ts";

/** How networks between others are drawn. */
export interface DrawingOptions {
  readonly rays: RayDistribution;
  readonly rayMembers?: number | undefined;
  readonly simplexMembers?: number | undefined;
  readonly align: boolean;
  readonly seed: number;
  /** Examples on which batch norms are measured. */
  readonly data: DataSet;
}

/** Prepares the star, which is bound last, and the networks on its rays as further predictors. */
export async function openStar(
  bound: OpenedArchitecture & BoundArchitecture,
  options: DrawingOptions & { readonly count: number },
  context: Context,
): Promise<FurtherPredictor[]> {
  const { rays, rayMembers: members = options.count, align, seed, data, count } = options;
  const { graph, engine, networks } = bound;
  const { restarts } = FIND_STAR_DEFAULTS;
  const star: Checkpoint = at(networks, count, "star").network;
  const anchors = networks.slice(0, count).map(({ network }) => network);
  const symmetries = align ? await proveSymmetries(bound, { seed, restarts }, context) : undefined;
  const statisticsData = limitExamples("measure batch norms", data, STATISTICS_EXAMPLES);
  const { signal } = context;
  const drawn = networksOnRays(
    { graph, engine, star, anchors, symmetries },
    { seed, members, rays, restarts, statisticsData, signal },
  );
  return [
    { name: "star", members: 1, networks: [star] },
    { name: "rays of the star", members, networks: drawn },
  ];
}

/** Prepares networks on the simplex of the networks as a further predictor, if they are asked for. */
export function openSimplex(
  { graph, engine, networks }: Architecture & { readonly networks: readonly Checkpoint[] },
  { simplexMembers: members, seed, data: statisticsData }: DrawingOptions,
  { signal }: Context,
): readonly FurtherPredictor[] {
  if (members === undefined) return [];
  const drawn = networksOnSimplex({ graph, engine }, networks, { seed, members, statisticsData, signal });
  return [{ name: "simplex", members, networks: drawn }];
}
