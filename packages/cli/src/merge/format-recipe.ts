import { formatShape } from "@isthmus/core";
import type {
  AbsentTensor,
  ExplainedSource,
  PlanSummary,
  RunRecipeResult,
  TensorExplanation,
  TensorGroup,
} from "@isthmus/recipe";
import { formatBytes, formatPairs, formatTable } from "../format/format-table.ts";

/** Formats the plan of a recipe: a line for all tensors of one place in layers, and a summary. */
export function formatPlan(groups: readonly TensorGroup[], summary: PlanSummary): string {
  const rows = groups.map(({ pattern, count, dtype, shape, method, parameters }) => [
    pattern,
    `${count}`,
    dtype,
    formatShape(shape),
    method === null ? "copy" : [method, ...formatParameters(parameters)].join(", "),
  ]);
  const table = formatTable(
    [
      { title: "tensors" },
      { title: "number", align: "right" },
      { title: "type" },
      { title: "shape" },
      { title: "made by" },
    ],
    rows,
  );
  return [table, "", formatPairs(summarize(summary))].join("\n");
}

/** Formats the steps that make single tensors. */
export function formatExplanations(tensors: readonly TensorExplanation[]): string {
  return tensors
    .map(({ tensor, dtype, shape, method, sources, base, parameters, reason }) =>
      [
        `${tensor} ${dtype} ${formatShape(shape)}`,
        ...sources.map((source, i) => `  ${i === 0 ? "of  " : "and "} ${formatSource(source)}`),
        ...(base === null ? [] : [`  base ${formatSource(base)}`]),
        ...(method === null ? [] : [`  with ${formatValues(parameters)}`]),
        `  as   ${reason}`,
      ].join("\n"),
    )
    .join("\n");
}

function formatSource({ network, tensor }: ExplainedSource): string {
  return `${network}: ${tensor}`;
}

function formatValues(parameters: Readonly<Record<string, unknown>>): string {
  const values = formatParameters(parameters);
  return values.length === 0 ? "no parameters" : values.join("; ");
}

function formatParameters(parameters: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.entries(parameters).map(([name, value]) => `${name} ${[value].flat().join(", ")}`);
}

/**
 * Formats the outcome of a merge by a recipe.
 * @param weights - weights that options stand for; undefined if a recipe has them
 */
export function formatSavedRecipe(
  method: string,
  { output, summary, modelFiles }: RunRecipeResult,
  weights?: string,
): string {
  const parts = output.files.length > 1 ? ` in ${output.files.length} files` : "";
  return formatPairs([
    ["method", method],
    ...(weights === undefined ? [] : [["weights", weights] as [string, string]]),
    ...summarize(summary),
    ["wrote", `${output.path}, ${formatBytes(output.bytes)}${parts}`],
    ...(modelFiles.files.length === 0
      ? []
      : [["beside them", modelFiles.files.join(", ")] as [string, string]]),
    ["took", formatTook(output)],
  ]);
}

function formatTook({ seconds, peakBytes, resumedBytes }: RunRecipeResult["output"]): string {
  const resumed = resumedBytes === 0 ? "" : `; ${formatBytes(resumedBytes)} were finished before`;
  return `${seconds.toFixed(1)} s and ${formatBytes(peakBytes)} of memory${resumed}`;
}

function summarize({ merged, copied, absent, bytesRead, bytesWritten }: PlanSummary): [string, string][] {
  return [
    ["merged", `${merged} tensors`],
    ["copied", `${copied} tensors`],
    ["absent", describeAbsent(absent)],
    ["bytes", `${formatBytes(bytesRead)} of networks, ${formatBytes(bytesWritten)} of the result`],
  ];
}

/** Number of tensors that are named in a line. */
const SHOWN = 3;

function describeAbsent(absent: readonly AbsentTensor[]): string {
  if (absent.length === 0) return "no tensor of a network is left out";
  const names = absent.slice(0, SHOWN).map(({ network, tensor }) => `${tensor} of ${network}`);
  const more = absent.length > SHOWN ? `, and ${absent.length - SHOWN} more` : "";
  return `${absent.length} tensors of networks are in no tensor of the result: ${names.join(", ")}${more}`;
}
