import type { MergeMethod } from "./merge-method.ts";
import { ace } from "./methods/ace.ts";
import { actmat } from "./methods/actmat.ts";
import { arceeFusion } from "./methods/arcee-fusion.ts";
import { breadcrumbs } from "./methods/breadcrumbs.ts";
import { breadcrumbsTies } from "./methods/breadcrumbs-ties.ts";
import { cart } from "./methods/cart.ts";
import { consensusTa } from "./methods/consensus-ta.ts";
import { cosineA, cosineB } from "./methods/cosine.ts";
import { dareLinear } from "./methods/dare-linear.ts";
import { dareTies } from "./methods/dare-ties.ts";
import { dcMerge } from "./methods/dc-merge.ts";
import { della } from "./methods/della.ts";
import { dellaLinear } from "./methods/della-linear.ts";
import { ema } from "./methods/ema.ts";
import { emr } from "./methods/emr.ts";
import { esm } from "./methods/esm.ts";
import { expo } from "./methods/expo.ts";
import { extraMerge } from "./methods/extra-merge.ts";
import { fisher } from "./methods/fisher.ts";
import { isoC } from "./methods/iso-c.ts";
import { isoCts } from "./methods/iso-cts.ts";
import { karcher } from "./methods/karcher.ts";
import { knots } from "./methods/knots.ts";
import { lawa } from "./methods/lawa.ts";
import { linear } from "./methods/linear.ts";
import { magmax } from "./methods/magmax.ts";
import { modelStock } from "./methods/model-stock.ts";
import { multislerp } from "./methods/multislerp.ts";
import { nearswap } from "./methods/nearswap.ts";
import { nuslerp } from "./methods/nuslerp.ts";
import { orthoMerge } from "./methods/ortho-merge.ts";
import { passthrough } from "./methods/passthrough.ts";
import { pcb } from "./methods/pcb.ts";
import { ram } from "./methods/ram.ts";
import { ramplusTl } from "./methods/ramplus-tl.ts";
import { regmeanOfGrams } from "./methods/regmean.ts";
import { sce } from "./methods/sce.ts";
import { singularProjection } from "./methods/singular-projection.ts";
import { slerp } from "./methods/slerp.ts";
import { svc } from "./methods/svc.ts";
import { swa } from "./methods/swa.ts";
import { tallMask } from "./methods/tall-mask.ts";
import { taskArithmetic } from "./methods/task-arithmetic.ts";
import { ties } from "./methods/ties.ts";
import { trainDifference } from "./methods/train-difference.ts";
import { tsvM } from "./methods/tsv-m.ts";
import { wsm } from "./methods/wsm.ts";
import { wudi } from "./methods/wudi.ts";
import { wudiClosedForm } from "./methods/wudi-closed-form.ts";

/** Averages of networks, on lines and spheres. */
const MEANS = [linear, slerp, nuslerp, multislerp, karcher, cosineA, cosineB, passthrough];

/** Averages over checkpoints of one run. */
const SERIES = [swa, ema, lawa, wsm, extraMerge];

/** Sums of task vectors, thinned out or not. */
const TASK_VECTORS = [
  ...[taskArithmetic, ties, dareLinear, dareTies, breadcrumbs, breadcrumbsTies, della, dellaLinear],
];

/** Other rules on the changes that networks made to a base, element by element. */
const CHANGES = [
  ...[
    modelStock,
    sce,
    nearswap,
    arceeFusion,
    ram,
    ramplusTl,
    magmax,
    consensusTa,
    tallMask,
    emr,
    pcb,
    expo,
    trainDifference,
  ],
];

/** Rules on the singular values and vectors of matrices. */
const MATRICES = [
  isoC,
  isoCts,
  tsvM,
  svc,
  knots,
  wudi,
  wudiClosedForm,
  actmat,
  ace,
  dcMerge,
  singularProjection,
  cart,
  orthoMerge,
];

// Parameters are resolved by the description of their method, so they have the types it expects.
const METHODS = [
  ...[MEANS, SERIES, TASK_VECTORS, CHANGES, MATRICES].flat(),
] as unknown as readonly MergeMethod[];

/** Methods that need statistics of the data of each network, by name; recipes name the files. */
export const METHODS_WITH_DATA: ReadonlyMap<string, MergeMethod> = new Map(
  ([fisher, regmeanOfGrams, esm] as unknown as readonly MergeMethod[]).map((method) => [method.name, method]),
);

/** All merge methods that need only networks, by name. */
export const MERGE_METHODS: ReadonlyMap<string, MergeMethod> = new Map(
  METHODS.map((method) => [method.name, method]),
);
