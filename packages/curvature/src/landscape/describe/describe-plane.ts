import type { PlaneResult } from "@isthmus/barrier";
import { at, UsageError } from "@isthmus/core";
import {
  dataWords,
  type Figure,
  factsOf,
  formatMeasure,
  formatNumber,
  formatShort,
  lossWords,
  type Measure,
  measureWords,
  type Report,
  type Section,
  stretchOf,
  type Table,
} from "@isthmus/findings";
import { topologyOf } from "../topology/grid-topology.ts";
import { topologySections } from "./topology-sections.ts";

/**
 * Says what a plane shows.
 * @throws UsageError if its grids do not fit its coordinates
 */
export function describePlane(result: PlaneResult): Report {
  assertGrid(result);
  const { models, paths } = result;
  const places = [
    {
      name: "map",
      title: "The plane",
      figures: [
        figureOf(result, "loss"),
        // Some losses have no errors.
        ...(result.error.flat().some(Number.isFinite) ? [figureOf(result, "error")] : []),
      ],
      tables: [],
    },
    { name: "models", title: "Networks in the plane", figures: [], tables: [modelsTable(result)] },
    ...(paths.length === 0
      ? []
      : [{ name: "paths", title: "Paths in the plane", figures: [], tables: [pathsTable(result)] }]),
    ...topologyOfPlane(result),
    { name: "grid", title: "Every measured place", figures: [], tables: [gridTable(result)] },
  ];
  return {
    subject: "loss in a plane through networks",
    summary: summarize(result),
    tiles: models.map(({ label, loss, error }) => ({
      name: label,
      value: formatNumber(loss),
      unit: lossWords(result).unit,
      more: Number.isNaN(error) ? [] : [`error ${formatMeasure(error, "error")}`],
    })),
    sections: places,
    facts: factsOf(result, [
      { name: "Grid", value: `${result.xs.length} by ${result.ys.length} places` },
      ...models.map(({ label, source }) => ({ name: `Network ${label}`, value: source })),
    ]),
    shownTables: ["models"],
    data: result,
  };
}

/** Describes the minima and saddles of the losses. */
function topologyOfPlane(result: PlaneResult): Section[] {
  const { xs, ys, loss, data, examples } = result;
  const losses = lossWords(result);
  return topologySections({
    topology: topologyOf(result),
    values: loss.flat(),
    coordinates: [
      { name: "x", of: (place) => at(xs, place % xs.length, "column") },
      { name: "y", of: (place) => at(ys, Math.floor(place / xs.length), "row") },
    ],
    label: measureWords("loss", losses, data).axis,
    losses,
    examples: dataWords(data, examples),
  });
}

function summarize(result: PlaneResult): string {
  const { loss, models } = result;
  const values = loss.flat().filter(Number.isFinite);
  const names = models.map(({ label }) => label);
  const list = names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
  return `In the plane through ${list} the loss at the places of the grid goes from ${formatNumber(Math.min(...values))} to ${lossWords(result).amount(Math.max(...values))}; it is ${models.map((model) => `${formatNumber(model.loss)} at ${model.label}`).join(", ")}.`;
}

function figureOf(result: PlaneResult, measure: Measure): Figure {
  const { xs, ys, models, paths } = result;
  const values = result[measure];
  const missing = values.flat().filter((value) => !Number.isFinite(value)).length;
  const { name: named, axis } = measureWords(measure, lossWords(result), result.data);
  const atModels = models
    .map((model) => `${model.label} ${formatMeasure(model[measure], measure)}`)
    .join(", ");
  return {
    name: `plane-${measure}`,
    title: `${named} in the plane,`,
    caption: captionOf(result, measure, missing),
    words: `${named} over a plane, as contours. At the networks: ${atModels}. ${paths.map(({ label }) => `A line shows ${label}.`).join(" ")}`,
    table: "grid",
    size: "half",
    plot: {
      kind: "contours",
      xs,
      ys,
      values,
      ...(measure === "error" && { resolution: 1 / result.examples }),
      models,
      paths,
      label: axis,
      format: measure === "loss" ? "exact" : "percent",
    },
  };
}

function captionOf(result: PlaneResult, measure: Measure, missing: number): string {
  const { xs, ys, data, examples } = result;
  const { unit } = measureWords(measure, lossWords(result), data);
  const holes = missing === 0 ? "" : ` ${missing} places have no loss, and are grey.`;
  return `${unit}; darker is lower, bands grow by factors, dots are networks. Measured at ${xs.length} by ${ys.length} places on ${dataWords(data, examples)}; between them it is interpolated linearly, so that bands have corners where places are few. ${scaleWords(result)}${holes}`;
}

/** Says how the axes of a plane compare. */
export function scaleWords(plane: Pick<PlaneResult, "xs" | "ys">): string {
  const stretch = stretchOf(plane);
  // Rounding errors of the division must not count as different scales.
  if (Math.abs(stretch - 1) < 1e-6) return "Both axes have one scale.";
  const [long, factor] = stretch > 1 ? ["y", stretch] : ["x", 1 / stretch];
  return `The axes have scales of their own: ${long} is stretched ${formatShort(factor, 2)} times, which changes angles and lengths.`;
}

function modelsTable(result: PlaneResult): Table {
  return {
    name: "models",
    title: "Networks in the plane",
    caption: `Coordinates in units of distance between weights, loss ${lossWords(result).inUnits("percent")}.`,
    columns: [
      { title: "Network", kind: "text" },
      { title: "x", kind: "number" },
      { title: "y", kind: "number" },
      { title: "From the plane", kind: "number" },
      { title: "Loss", kind: "loss" },
      { title: "Error", kind: "share" },
      { title: "File", kind: "text" },
    ],
    rows: result.models.map(({ label, x, y, distance, loss, error, source }) => ({
      cells: [label, x, y, distance, loss, error, source],
    })),
  };
}

function pathsTable({ paths }: PlaneResult): Table {
  return {
    name: "paths",
    title: "Paths in the plane",
    caption: "Points of the lines that are drawn, in order.",
    columns: [
      { title: "Path", kind: "text" },
      { title: "Point", kind: "count" },
      { title: "x", kind: "number" },
      { title: "y", kind: "number" },
    ],
    rows: paths.flatMap(({ label, points }) =>
      points.map(([x, y], index) => ({ cells: [label, index + 1, x, y] })),
    ),
  };
}

function gridTable(result: PlaneResult): Table {
  const { xs, ys, loss, error } = result;
  return {
    name: "grid",
    title: "Every measured place",
    caption: `Coordinates in units of distance between weights, loss ${lossWords(result).inUnits("percent")}.`,
    columns: [
      { title: "x", kind: "number" },
      { title: "y", kind: "number" },
      { title: "Loss", kind: "loss" },
      { title: "Error", kind: "share" },
    ],
    rows: ys.flatMap((y, row) =>
      xs.map((x, column) => ({ cells: [x, y, loss[row]?.[column] ?? null, error[row]?.[column] ?? null] })),
    ),
  };
}

/**
 * Checks that a plane can be drawn.
 * @throws UsageError if there are fewer than two columns or rows, coordinates do not ascend, or a grid has
 *   other sizes
 */
function assertGrid({ xs, ys, loss, error, models, lossKind }: PlaneResult): void {
  for (const [name, coordinates] of Object.entries({ xs, ys })) {
    const ascends = coordinates.every(
      (value, index) => index === 0 || value > (coordinates[index - 1] ?? value),
    );
    if (coordinates.length < 2 || !ascends) {
      throw new UsageError(
        `Cannot draw a plane as "${name}" must be at least 2 ascending numbers: got [${coordinates.join(", ")}]`,
      );
    }
  }
  for (const [name, grid] of Object.entries({ loss, error })) {
    const odd = grid.find((row) => row.length !== xs.length);
    if (grid.length !== ys.length || odd) {
      throw new UsageError(
        `Cannot draw a plane as "${name}" must be ${ys.length} rows of ${xs.length} values: it has ${grid.length} rows${odd ? `, one of ${odd.length}` : ""}`,
      );
    }
  }
  assertMeasured("loss", loss);
  // Some losses have no errors.
  if (lossKind === undefined) assertMeasured("error", error);
  if (models.length === 0) throw new UsageError("Cannot draw a plane as it must go through networks: got 0");
}

function assertMeasured(name: string, grid: PlaneResult["loss"]): void {
  if (grid.flat().some(Number.isFinite)) return;
  throw new UsageError(`Cannot draw a plane as "${name}" must have a finite value: it has none`);
}
