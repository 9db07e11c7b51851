import {
  dataWords,
  type Figure,
  factsOf,
  formatMeasure,
  lossWords,
  type Measure,
  measureWords,
  type Report,
  type Table,
  type Tile,
} from "@isthmus/findings";
import { assertPaths, type NamedPath, pathLines, placesTable } from "../path/describe-paths.ts";
import type { MechanismSet, MechanismsResult } from "./mechanisms-result.ts";

/** Words for losses, which are all cross-entropies, as errors decide the connectivity. */
const LOSSES = lossWords({});

/**
 * Says whether two networks are connected on several data sets, one line for each.
 * @throws UsageError if one of them has fewer than two points
 */
export function describeMechanisms(result: MechanismsResult): Report {
  const { sets, path, tolerance, statisticsData } = result;
  const paths = pathsOf(sets);
  assertPaths(paths);
  return {
    subject: "whether two networks predict by the same mechanisms",
    summary: summarizeMechanisms(result).join(" "),
    tiles: sets.map(tileOf),
    sections: [
      {
        name: "sets",
        title: "Along the path, on each data set",
        figures: [lineFigure(result, "error", "hero"), lineFigure(result, "loss", "half")],
        tables: [setsTable(result)],
      },
      { name: "points", title: "Every measured point", figures: [], tables: [placesTable(paths, LOSSES)] },
    ],
    facts: factsOf(result, [
      { name: "Path", value: path },
      ...sets.map(({ name, data, examples }) => ({
        name: `Data, ${name}`,
        value: dataWords(data, examples),
      })),
      { name: "Barriers that count", value: `of the error, above ${formatMeasure(tolerance, "error")}` },
      ...(statisticsData === undefined ? [] : [{ name: "Statistics measured on", value: statisticsData }]),
    ]),
    notes: [NOTE],
    data: result,
  };
}

const NOTE =
  "Networks are mechanistically connected if no data set has a barrier. Errors decide: a network that a cue misleads is sure of what it says, so that its loss is large, and beside it the chord hides any rise.";

function tileOf({ name, barrier, path }: MechanismSet, style: number): Tile {
  const [first, last] = [path.points[0], path.points.at(-1)];
  const ends = [first, last].map((point) => formatMeasure(point?.error ?? Number.NaN, "error"));
  return {
    name: `barrier of the error, ${name}`,
    value: formatMeasure(barrier.error.chord, "error"),
    unit: "",
    more: [
      `error at A ${ends[0]}, at B ${ends[1]}`,
      `barrier of the loss ${LOSSES.amount(barrier.loss.chord)}`,
    ],
    style,
  };
}

function lineFigure({ sets, path: way }: MechanismsResult, measure: Measure, size: Figure["size"]): Figure {
  const { name: named, axis, unit } = measureWords(measure, LOSSES, ...sets.map(({ data }) => data));
  const { words, plot } = pathLines(pathsOf(sets), { measure, along: "t", axis });
  const lines = sets.map(({ name, data, examples }) => `${name}, ${dataWords(data, examples)}`);
  return {
    name: `${measure}-t`,
    title: `${named} along the path,`,
    caption: `${unit}, from A (t = 0) to B (t = 1), along: ${way}. Lines: ${lines.join("; ")}.`,
    words: `${named} along the path. ${words}.`,
    table: "points",
    size,
    plot,
  };
}

const pathsOf = (sets: readonly MechanismSet[]): NamedPath[] =>
  sets.map(({ name, path }) => ({ label: name, path }));

function setsTable({ sets }: MechanismsResult): Table {
  return {
    name: "sets",
    title: "Barriers on each data set",
    caption: `Barriers above the chord between the ends; errors in percent, losses ${LOSSES.inUnit}.`,
    columns: [
      { title: "Data set", kind: "text" },
      { title: "At A", kind: "share", group: "Error" },
      { title: "At B", kind: "share", group: "Error" },
      { title: "Barrier", kind: "points", group: "Error" },
      { title: "At A", kind: "loss", group: "Loss" },
      { title: "At B", kind: "loss", group: "Loss" },
      { title: "Barrier", kind: "loss", group: "Loss" },
      { title: "Connected", kind: "text" },
    ],
    rows: sets.map(({ name, path, barrier, connected }) => {
      const [first, last] = [path.points[0], path.points.at(-1)];
      return {
        cells: [
          name,
          ...[first?.error ?? null, last?.error ?? null, barrier.error.chord],
          ...[first?.loss ?? null, last?.loss ?? null, barrier.loss.chord],
          connected ? "yes" : "no",
        ],
      };
    }),
  };
}

/** Summarizes the result: first whether networks are connected, then whether they are similar. */
function summarizeMechanisms({ sets, connected, similar, tolerance }: MechanismsResult): readonly string[] {
  const most = formatMeasure(tolerance, "error");
  const listed = (chosen: (set: MechanismSet) => boolean): string =>
    sets
      .filter(chosen)
      .map(({ name }) => name)
      .join(", ");
  const barriers = connected
    ? `There is no barrier of the error above ${most} on any of the data sets: the networks are connected.`
    : `There are barriers of the error above ${most} on: ${listed((set) => !set.connected)}. The networks are not mechanistically connected.`;
  const gaps = similar
    ? "They are as good as each other on all of them."
    : `One is better than the other on: ${listed(({ gap }) => gap > tolerance)}. They do not predict by the same mechanisms.`;
  return [barriers, gaps];
}
