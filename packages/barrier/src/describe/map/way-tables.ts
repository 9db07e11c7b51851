import { at } from "@isthmus/core";
import { dataWords, formatCounted, formatPlace, lossWords, type Table } from "@isthmus/findings";
import type { MapGroundMark, MappedPair, MapResult } from "../../map-result.ts";
import { MAP_STAGES, mapNames } from "./map-networks.ts";

/** Makes the tables of the measured losses and errors on the way between networks. */
export function wayTables(result: MapResult): Table[] {
  const { hasErrors } = lossWords(result);
  const measures = [
    { name: "losses", title: "Losses on the way", kind: "loss" },
    ...(hasErrors ? ([{ name: "errors", title: "Errors on the way", kind: "share" }] as const) : []),
  ] as const;
  const tables = measures.flatMap(({ name, title, kind }) => {
    if (![result.before, result.after].every(({ pairs }) => pairs.every((pair) => pair[name]))) return [];
    return [lineTable(result, { name, title, kind })];
  });
  return result.paths === undefined || result.paths.length === 0 ? tables : [...tables, pathTable(result)];
}

/** Makes the table of one measure at all places between networks, on straight lines. */
function lineTable(
  result: MapResult,
  {
    name,
    title,
    kind,
  }: { readonly name: "losses" | "errors" } & Pick<Table, "title"> & {
      readonly kind: "loss" | "share";
    },
): Table {
  const { before, after, points } = result;
  const names = mapNames(result);
  const between = Array.from({ length: points - 2 }, (_, i) => (i + 1) / (points - 1));
  const valuesOf = ({ [name]: values = [] }: MappedPair) => between.map((_, i) => at(values, i, "place"));
  return {
    name: `way-${name}`,
    title,
    caption: `${title}, at places t of the line between two networks${kind === "loss" ? `, ${lossWords(result).inUnit}` : ""}; the networks themselves are in their own table.`,
    columns: [
      { title: "From", kind: "text" },
      { title: "To", kind: "text" },
      ...MAP_STAGES.flatMap((stage) =>
        between.map((t) => ({ title: `t = ${formatPlace(t)}`, kind, group: stage.name })),
      ),
    ],
    rows: before.pairs.map((pair, i) => ({
      cells: [
        ...[at(names, pair.a, "name"), at(names, pair.b, "name")],
        ...valuesOf(pair),
        ...valuesOf(at(after.pairs, i, "pair")),
      ],
    })),
  };
}

/** Makes the table of all places of paths that other results measured. */
function pathTable(result: MapResult): Table {
  const { paths = [], data, examples } = result;
  const names = mapNames(result);
  const elsewhere = paths.filter((path) => path.data !== data || path.examples !== examples);
  const others =
    elsewhere.length === 0
      ? ""
      : ` Measured on other examples than the map: ${elsewhere.map((path) => `${path.label} (${dataWords(path.data, path.examples)})`).join(", ")}.`;
  return {
    name: "paths",
    title: "Paths",
    caption: `Places of paths that other results measured, loss ${lossWords(result).inUnits("percent")}.${others}`,
    columns: [
      { title: "Path", kind: "text" },
      { title: "From", kind: "text" },
      { title: "To", kind: "text" },
      { title: "t", kind: "place" },
      { title: "Loss", kind: "loss" },
      { title: "Error", kind: "share" },
    ],
    rows: paths.flatMap(({ label, a, b, points }) =>
      points.map(({ t, loss, error }) => ({
        cells: [label, at(names, a, "name"), at(names, b, "name"), t, loss, error],
      })),
    ),
    fixed: true,
  };
}

/** Makes the table of the ground: losses of the measured plane, and the places of networks on it. */
export function groundTables(result: MapResult): Table[] {
  const { ground } = result;
  if (ground === undefined) return [];
  const names = [...mapNames(result), "mean"];
  const { xs, ys, loss, error, networks, data, examples, marks = [] } = ground;
  return [
    {
      name: "ground",
      title: "The ground",
      caption: `Loss ${lossWords(result).inUnits("percent")} at ${formatCounted(xs.length * ys.length, "place")} of the plane, on ${dataWords(data, examples)}.`,
      columns: [
        { title: "x", kind: "number" },
        { title: "y", kind: "number" },
        { title: "Loss", kind: "loss" },
        { title: "Error", kind: "share" },
      ],
      rows: ys.flatMap((y, row) =>
        xs.map((x, column) => ({
          cells: [
            ...[x, y],
            at(at(loss, row, "row"), column, "column"),
            at(at(error, row, "row"), column, "column"),
          ],
        })),
      ),
    },
    ...(marks.length === 0 ? [] : [marksTable(marks, lossWords(result).inUnit)]),
    {
      name: "on-ground",
      title: "Networks on the ground",
      caption:
        "Nearest place of each network on the plane, and its distance from the plane, in units of distance between weights.",
      columns: [
        { title: "Network", kind: "text" },
        { title: "x", kind: "number" },
        { title: "y", kind: "number" },
        { title: "Distance from the plane", kind: "number" },
      ],
      rows: networks.map(({ network, x, y, distance }) => ({
        cells: [at(names, network, "name"), x, y, distance],
      })),
    },
  ];
}

/** Makes the table of the minima and saddles of the ground. */
function marksTable(marks: readonly MapGroundMark[], inUnit: string): Table {
  return {
    name: "ground-marks",
    title: "Minima and saddles of the ground",
    caption: `Places of the grid, with the loss at which a minimum joins a deeper one, ${inUnit}; minima on the edge may not be minima of the plane.`,
    columns: [
      { title: "Place", kind: "text" },
      { title: "x", kind: "number" },
      { title: "y", kind: "number" },
      { title: "Loss", kind: "loss" },
      { title: "Joins at", kind: "loss" },
    ],
    rows: marks.map(({ kind, x, y, loss, joins }) => ({ cells: [kind, x, y, loss, joins ?? null] })),
  };
}
