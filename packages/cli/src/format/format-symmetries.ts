import { at } from "@isthmus/core";
import { type BindingSummary, describeSource } from "@isthmus/graph";
import type {
  AxisRef,
  Exchange,
  LinearSummary,
  MixingExplanation,
  MixingGroup,
  SpecExplanation,
  SymmetryProof,
  SymmetrySummary,
} from "@isthmus/symmetry";
import { formatPairs, formatTable } from "./format-table.ts";

/** Number of axes of a symmetry that the table names. */
const SHOWN_AXES = 3;

/** Number of operators without a rule, or of tensors, that are named. */
const SHOWN_NAMES = 6;

/** Formats as tables the axes that can be permuted, and the ones that cannot, with the reason. */
export function formatExplanation(explanation: SpecExplanation, width?: number): string {
  const { symmetries, frozen } = explanation;
  const table = formatTable(
    [
      { title: "symmetry" },
      { title: "units", align: "right" },
      { title: "kind" },
      { title: "within" },
      { title: "tensors", align: "right" },
      { title: "moves (tensor:axis)" },
    ],
    symmetries.map((entry) => [
      entry.name,
      entry.cells === 1 ? String(entry.size) : `${entry.cells} x ${entry.size}`,
      entry.kind,
      entry.parents.join(", "),
      String(countTensors(entry)),
      formatAxes(entry.axes),
    ]),
    width,
  );
  const stuck = formatTable(
    [{ title: "stays" }, { title: "indices", align: "right" }, { title: "because of" }, { title: "reason" }],
    frozen.map(({ tensor, axis, indices, extent, node, reason }) => [
      `${tensor}:${axis}`,
      indices === extent ? String(extent) : `${indices} of ${extent}`,
      node,
      reason,
    ]),
    width,
  );
  return [table, ...(frozen.length === 0 ? [] : ["", stuck]), "", formatSummary(explanation)].join("\n");
}

/** Formats as a table the units that can be scaled, negated or rotated. */
export function formatLinear(linear: readonly LinearSummary[], width?: number): string {
  if (linear.length === 0)
    return "Beyond permutation nothing leaves the function as it is: no scales, signs or rotations";
  return formatTable(
    [
      { title: "beyond permutation" },
      { title: "units", align: "right" },
      { title: "tensors", align: "right" },
      { title: "changes (tensor:axis)" },
    ],
    joinKinds(linear).map(({ kinds, size, cells, axes }) => [
      kinds,
      cells === 1 ? String(size) : `${cells} x ${size}`,
      String(countTensors({ axes })),
      formatAxes(axes),
    ]),
    width,
  );
}

/** Names of the groups of matrices. */
const GROUPS: Readonly<Record<MixingGroup, string>> = {
  invertible: "any invertible matrix",
  orthogonal: "rotation",
  "orthogonal-keeping-ones": "rotation that keeps the mean",
  complex: "complex number",
  "unit-complex": "complex number of length 1",
};

/**
 * Formats as tables the streams that matrices may mix, the logits that may be shifted, and the streams that
 * stay, with the reason.
 */
export function formatMixing({ spaces, fixed, shifts }: MixingExplanation, width?: number): string[] {
  const mixed = formatTable(
    [
      { title: "mixed by" },
      { title: "units", align: "right" },
      { title: "what" },
      { title: "tensors", align: "right" },
      { title: "changes (tensor:axis)" },
    ],
    spaces.map(({ group, symmetry, size, cells, norms, axes }) => [
      GROUPS[group],
      cells === 1 ? String(size) : `${cells} x ${size}`,
      norms > 0 ? `${symmetry}, the residual stream of ${norms} norms` : symmetry,
      String(countTensors({ axes })),
      formatAxes(axes),
    ]),
    width,
  );
  const stuck = formatTable(
    [{ title: "stream not rotated" }, { title: "because" }],
    fixed.map(({ symmetry, reason }) => [symmetry, reason]),
    width,
  );
  const shifted = formatTable(
    [
      { title: "logits shifted alike" },
      { title: "logits", align: "right" },
      { title: "numbers", align: "right" },
      { title: "changes (tensor:axis)" },
    ],
    shifts.map(({ weight, logits, parameters, axes }) => [
      weight,
      String(logits),
      String(parameters),
      formatAxes(axes),
    ]),
    width,
  );
  return [
    ...(spaces.length === 0 ? [] : [mixed]),
    ...(shifts.length === 0 ? [] : [shifted]),
    ...(fixed.length === 0 ? [] : [stuck]),
  ];
}

/** Formats as a table which parts of separate weights may change places. */
export function formatExchanges(exchanges: readonly Exchange[], width?: number): string {
  return formatTable(
    [
      { title: "change places" },
      { title: "parts", align: "right" },
      { title: "tensors of each", align: "right" },
      { title: "together with (tensor:axis)" },
    ],
    exchanges.map(({ name, parts, selectors }) => [
      name,
      String(parts.length),
      String(at(parts, 0, "part").length),
      formatAxes(selectors.map(({ weight, axis }) => ({ tensor: weight, axis }))),
    ]),
    width,
  );
}

/** Joins the entries of the same units into one row, such as units that can be scaled as well as negated. */
function joinKinds(linear: readonly LinearSummary[]): (LinearSummary & { readonly kinds: string })[] {
  const rows = new Map<string, LinearSummary & { readonly kinds: string }>();
  for (const entry of linear) {
    const key = `${entry.cells} ${entry.size} ${JSON.stringify(entry.axes)}`;
    const joined = rows.get(key);
    rows.set(key, { ...entry, kinds: joined === undefined ? entry.kind : `${joined.kinds}, ${entry.kind}` });
  }
  return [...rows.values()];
}

function countTensors({ axes }: Pick<SymmetrySummary, "axes">): number {
  return new Set(axes.map(({ tensor }) => tensor)).size;
}

function formatSummary({ symmetries, derived, axes, unknown }: SpecExplanation): string {
  const nested = symmetries.filter(({ kind }) => kind === "nested").length;
  const percent = axes.indices === 0 ? 0 : (100 * axes.freeIndices) / axes.indices;
  const partly = axes.partly === 0 ? "" : `, ${axes.partly} of them in part`;
  const pairs: [string, string][] = [
    ["symmetries", `${symmetries.length}${nested === 0 ? "" : `, ${nested} of them nested`}`],
    [
      "axes that move",
      `${axes.free + axes.partly} of ${axes.total}${partly}: ${percent.toFixed(1)} % of their indices`,
    ],
  ];
  if (derived > 0) pairs.push(["families that follow", String(derived)]);
  const operators = unknown.map(({ node, op }) => (node === op ? op : `${op} (${node})`));
  if (operators.length > 0) pairs.push(["operators without a rule", formatNames(operators)]);
  return formatPairs(pairs);
}

/** Formats the first few of many axes; the others are of the same kind, and are in the JSON. */
function formatAxes(axes: readonly AxisRef[]): string {
  return formatNames(
    axes.map(({ tensor, axis }) => `${tensor}:${axis}`),
    SHOWN_AXES,
    " ",
  );
}

function formatNames(names: readonly string[], shown = SHOWN_NAMES, separator = ", "): string {
  const list = names.slice(0, shown);
  if (names.length > shown) list.push(`and ${names.length - shown} more`);
  return list.join(separator);
}

/** Formats the way the weights of a graph were found among the tensors of a checkpoint. */
export function formatBinding({ byName, renamed, witnessError }: BindingSummary): string {
  const sources = Object.entries(renamed).map(([name, source]) => [name, describeSource(source)]);
  const table = formatTable([{ title: "weight of the graph" }, { title: "is, by its values" }], sources);
  const pairs: [string, string][] = [
    ["weights bound", `${byName} by name, ${sources.length} by their values`],
  ];
  if (witnessError !== null) {
    pairs.push(["the file itself", `computes the same, to ${witnessError.toExponential(1)} (relative)`]);
  }
  return [...(sources.length === 0 ? [] : [table, ""]), formatPairs(pairs)].join("\n");
}

/**
 * Formats the outcome of a verification as a line, with a second one for scales, signs and rotations.
 * @param counted - outputs that it covers, such as ` for logits`; empty for all
 */
export function formatVerification(result: SymmetryProof, counted: string): string {
  const { passed, maxRelativeError, tensors, worst, narrowed, alike, linear } = result;
  const where = worst === undefined ? "" : `, at ${worst.node}`;
  const how = narrowed ? " on a narrowed network of the same structure" : "";
  const others = alike === undefined ? "" : `, ${alike} more are in blocks like those`;
  return `${passed ? "Verified" : "NOT verified"}${counted}${how}: ${tensors} values compared${others}, largest relative error ${maxRelativeError.toExponential(1)}${where}${formatLinearProofs(linear)}${formatMixingProof(result)}${formatExchangeProof(result)}`;
}

/** Formats the largest errors of scales, signs and rotations, each over as many values. */
function formatLinearProofs(linear: SymmetryProof["linear"]): string {
  if (linear.length === 0) return "";
  const errors = linear.map(({ kind, passed, maxRelativeError: error }) => {
    return `${passed ? "" : "NOT "}${kind}s ${error.toExponential(1)}`;
  });
  return `\nBeyond permutation, as many values of each kind: ${errors.join(", ")}`;
}

/** Formats the largest error of mixtures, with all gains moved, and lists mixtures that are left out. */
function formatMixingProof({ mixing, dropped }: SymmetryProof): string {
  const left = dropped.map(({ name, reason }) => `\nLeft out: ${name} may not be mixed, ${reason}`).join("");
  if (mixing === null) return left;
  const { maxRelativeError, restoredError } = mixing;
  return `\nMixed by random matrices, all at once: ${maxRelativeError.toExponential(1)}, outputs with the norms as they were ${restoredError.toExponential(1)}${left}`;
}

/** Formats the largest error of exchanged parts. */
function formatExchangeProof({ exchanges }: SymmetryProof): string {
  if (exchanges === null) return "";
  const { passed, maxRelativeError } = exchanges;
  return `\nParts that changed places: ${passed ? "" : "NOT "}${maxRelativeError.toExponential(1)}`;
}

/** Explains why a verification makes the command fail; returns undefined if it passed. */
export function explainVerification(result: SymmetryProof): string | undefined {
  const { failedSymmetries, linear, exchanges } = result;
  const wrong = linear.find(({ passed }) => !passed);
  const firstFailure = result.firstFailure ?? wrong?.firstFailure;
  if (firstFailure === undefined) {
    if (exchanges?.passed !== false) return undefined;
    return `exchanges of parts do not hold: their sums differ by ${exchanges.maxRelativeError.toPrecision(2)}`;
  }
  if (result.firstFailure === undefined && wrong !== undefined) {
    return `${wrong.kind}s do not hold: ${firstFailure.node} differs by ${firstFailure.error.toPrecision(2)}`;
  }
  const names = failedSymmetries.map((name) => `"${name}"`);
  const which =
    names.length === 0
      ? "the symmetries do not hold together"
      : `${names.length === 1 ? "the symmetry" : "the symmetries"} ${formatNames(names)} ${names.length === 1 ? "does" : "do"} not hold`;
  return `${which}: ${firstFailure.node} differs by ${firstFailure.error.toPrecision(2)}`;
}
