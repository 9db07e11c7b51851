import type { MergeMethod } from "./merge-method.ts";
import { arceeFusion } from "./methods/arcee-fusion.ts";
import { breadcrumbs } from "./methods/breadcrumbs.ts";
import { breadcrumbsTies } from "./methods/breadcrumbs-ties.ts";
import { dareLinear } from "./methods/dare-linear.ts";
import { dareTies } from "./methods/dare-ties.ts";
import { della } from "./methods/della.ts";
import { dellaLinear } from "./methods/della-linear.ts";
import { linear } from "./methods/linear.ts";
import { modelStock } from "./methods/model-stock.ts";
import { nearswap } from "./methods/nearswap.ts";
import { ram } from "./methods/ram.ts";
import { ramplusTl } from "./methods/ramplus-tl.ts";
import { sce } from "./methods/sce.ts";
import { slerp } from "./methods/slerp.ts";
import { taskArithmetic } from "./methods/task-arithmetic.ts";
import { ties } from "./methods/ties.ts";

const METHODS: readonly MergeMethod[] = [
  linear,
  slerp,
  taskArithmetic,
  ties,
  dareLinear,
  dareTies,
  breadcrumbs,
  breadcrumbsTies,
  della,
  dellaLinear,
  modelStock,
  sce,
  nearswap,
  ram,
  ramplusTl,
  arceeFusion,
];

/** All merge methods, by name. */
export const MERGE_METHODS: ReadonlyMap<string, MergeMethod> = new Map(
  METHODS.map((method) => [method.name, method]),
);
