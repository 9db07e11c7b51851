/** A way to merge that the advice competes with. */
export interface Candidate {
  /** Name in results, such as `task_arithmetic 0.5`. */
  readonly name: string;
  readonly method: string;
  readonly parameters: Readonly<Record<string, number>>;
  /** Whether all networks get the order of units of the first before they are merged. */
  readonly align?: true;
  /** Whether two networks alone can be merged so. */
  readonly two?: true;
}

const tune = (method: string, name: string, values: readonly number[], others = {}): Candidate[] =>
  values.map((value) => ({
    name: `${method} ${value}`,
    method,
    parameters: { weight: 1, ...others, [name]: value },
  }));

/** The ways to merge that are measured; those whose method needs a base are left out if there is no base. */
export const CANDIDATES: readonly Candidate[] = [
  { name: "linear", method: "linear", parameters: {} },
  { name: "slerp", method: "slerp", parameters: { t: 0.5 }, two: true },
  { name: "karcher", method: "karcher", parameters: {} },
  { name: "align linear", method: "linear", parameters: {}, align: true },
  ...tune("task_arithmetic", "lambda", [0.3, 0.5, 0.7, 1]),
  ...tune("ties", "lambda", [1, 1.5], { density: 0.2 }),
  { name: "ties dense", method: "ties", parameters: { weight: 1, density: 0.5, lambda: 1 } },
  ...tune("dare_ties", "lambda", [0.5, 1], { density: 0.5 }),
  ...tune("breadcrumbs", "lambda", [0.5, 1], { density: 0.9 }),
  { name: "model_stock", method: "model_stock", parameters: {} },
  { name: "tsv_m", method: "tsv_m", parameters: {} },
  { name: "tsv_m 0.5", method: "tsv_m", parameters: { scale: 0.5 } },
  { name: "iso_c", method: "iso_c", parameters: {} },
  { name: "iso_c 0.5", method: "iso_c", parameters: { scale: 0.5 } },
  { name: "magmax", method: "magmax", parameters: {} },
  { name: "sce", method: "sce", parameters: {} },
];
