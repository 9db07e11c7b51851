/** One setting of a merge method. */
export interface Setting {
  readonly parameters: Readonly<Record<string, number | string | boolean>>;
}

const LAMBDAS = [0.1, 0.3, 0.5, 0.7, 1];
/** Sums of several changes are longer than one of them, and orthogonal parts of them are not. */
const SCALES = [0.5, 0.75, 1, 1.5];

/** Settings with each value of a parameter. */
const each = (name: string, values: readonly number[], others: Setting["parameters"] = {}): Setting[] =>
  values.map((value) => ({ parameters: { ...others, [name]: value } }));

/** Sums of task vectors of weight 1, with a scale that is chosen. */
const sums = (others: Setting["parameters"] = {}): Setting[] =>
  each("lambda", LAMBDAS, { weight: 1, ...others });

const plain: readonly Setting[] = [{ parameters: {} }];

/** Settings that are tried, by method. */
export const SETTINGS: Readonly<Record<string, readonly Setting[]>> = {
  linear: plain,
  multislerp: plain,
  karcher: plain,
  task_arithmetic: sums(),
  ties: [0.2, 0.5].flatMap((density) => each("lambda", [0.7, 1, 1.5, 2], { weight: 1, density })),
  dare_linear: sums({ density: 0.5 }),
  dare_ties: sums({ density: 0.5 }),
  breadcrumbs: sums({ density: 0.9 }),
  breadcrumbs_ties: sums({ density: 0.9 }),
  della: each("lambda", [0.7, 1, 1.5, 2], { weight: 1, density: 0.5 }),
  della_linear: sums({ density: 0.5 }),
  model_stock: [{ parameters: {} }, { parameters: { filter_wise: true } }],
  sce: each("select_topk", [0.1, 0.5, 1]),
  ram: plain,
  ramplus_tl: plain,
  magmax: each("lambda", LAMBDAS),
  consensus_ta: each("lambda", LAMBDAS),
  iso_c: each("scale", SCALES),
  iso_cts: each("scale", SCALES),
  tsv_m: each("scale", SCALES),
  svc: each("scale", SCALES),
  knots: each("scale", SCALES),
  wudi: each("scale", [0.5, 1]), // takes longest
  wudi_closed_form: each("scale", SCALES),
  actmat: [1, 0.5].flatMap((density) => each("scale", SCALES, { density })),
  ace: each("scale", SCALES),
  dc_merge: [1e-3, 1e-1].flatMap((density) => each("scale", [0.5, 1, 1.5, 2.5], { density })),
  esm: [0, 2].flatMap((power) => each("scale", [...SCALES, 2.5], { power })),
  fisher: plain,
  regmean: each("off_diagonal", [0.9, 0.95, 1]),
  cart: [0.05, 0.12, 0.3].flatMap((rank_ratio) => each("lambda", [0.5, 1, 2, 3], { rank_ratio })),
  pcb: [0.1, 0.3, 0.6].flatMap((density) => each("lambda", [0.8, 1.2, 1.6], { density })),
  ortho_merge: ["all", "conflicts"].flatMap((rotate) => each("scale", [0.5, 1], { rotate })),
  tall_mask: each("tall_mask_lambda", [0.2, 0.4, 0.6], { lambda: 1 }),
  emr: plain,
};

/** Methods that make no one network of three for three tasks, and why. */
export const NOT_TRIED: Readonly<Record<string, string>> = {
  slerp: "joins two networks",
  cosine_a: "joins two networks",
  cosine_b: "joins two networks",
  train_difference: "takes the change of one network over to another",
  nuslerp: "joins two networks",
  passthrough: "takes one network",
  nearswap: "joins one network and the base",
  arcee_fusion: "joins one network and the base",
  expo: "goes on from the base through one network",
  swa: "averages one run",
  ema: "averages one run",
  lawa: "averages one run",
  wsm: "averages one run",
  extra_merge: "goes on along one run",
  singular_projection: "keeps a part of one change",
};
