import { at, readJsonFile, sizeOf } from "@isthmus/core";
import type { Graph } from "@isthmus/graph";
import { indexParents } from "../complete-units.ts";
import { findAxes } from "../find-axes.ts";
import { assertFits } from "../permute.ts";
import type {
  FollowerFamily,
  FrozenAxis,
  Symmetry,
  SymmetrySpec,
  UnknownOperator,
  WeightField,
  WeightLayout,
} from "../spec.ts";
import { JsonReader } from "./json-reader.ts";

/** Most units, and most positions of one field: more would not fit into their arrays. */
const MAX_COUNT = 2 ** 30;

/**
 * Reads a specification from parsed JSON, written by `encodeSpec` or by hand: symmetries with their sizes,
 * and for each weight the symmetry on each axis.
 *
 * @param source - name of the file or place that it was read from, for messages
 * @throws FormatError if it is not a valid specification; the message names the place
 */
export function decodeSpec(json: unknown, source?: string): SymmetrySpec {
  const reader = new JsonReader("symmetries", json, { source });
  reader.entries(["format", "version", "symmetries", "followers", "weights", "frozen", "unknown"]);
  reader.member("format").oneOf("isthmus-symmetries");
  reader.member("version").oneOf(1);
  const symmetries: Omit<Symmetry, "axes">[] = [];
  let units = 0;
  for (const item of reader.member("symmetries").items()) {
    const symmetry = decodeSymmetry(item, units);
    if (symmetries.some(({ name }) => name === symmetry.name)) item.member("name").fail("a name of its own");
    symmetries.push(symmetry);
    units += symmetry.size * symmetry.cells.length;
    if (units > MAX_COUNT) item.fail(`small enough for ${MAX_COUNT} units in all`);
  }
  const followers: FollowerFamily[] = [];
  const free = units;
  for (const item of optionalItems(reader.member("followers"))) {
    item.entries(["parents"]);
    const parents = decodeParents(item.member("parents"), free);
    followers.push({ firstUnit: units, parents });
    units += parents.length;
  }
  const weights = new Map<string, WeightLayout>();
  for (const [name, item] of reader.member("weights").entries()) {
    weights.set(name, decodeWeight(item, symmetries, units));
  }
  const axes = findAxes(symmetries, followers, weights);
  return {
    symmetries: symmetries.map((symmetry, i) => ({ ...symmetry, axes: at(axes, i, "list of axes") })),
    followers,
    units,
    weights,
    frozen: optionalItems(reader.member("frozen")).map(decodeFrozen),
    unknown: optionalItems(reader.member("unknown")).map(decodeUnknown),
  };
}

function optionalItems(reader: JsonReader): JsonReader[] {
  return reader.present ? reader.items() : [];
}

function decodeSymmetry(reader: JsonReader, firstUnit: number): Omit<Symmetry, "axes"> {
  reader.entries(["name", "size", "parents"]);
  const name = reader.member("name").text();
  const size = reader.member("size").whole(2, MAX_COUNT);
  const parents = reader.member("parents");
  return { name, size, firstUnit, cells: parents.present ? decodeParents(parents, firstUnit) : [[]] };
}

/**
 * Reads columns of parents into a list for each cell; parents must come before their cells, and no two cells
 * may have the same parents.
 */
function decodeParents(reader: JsonReader, before: number): readonly (readonly number[])[] {
  const columns = reader.items().map((column) => decodeRuns(column, 0, before - 1));
  const [first] = columns;
  if (first === undefined || first.length === 0) return reader.fail("a list of parents, not empty");
  if (columns.some(({ length }) => length !== first.length)) reader.fail("columns of equal length");
  const cells = Array.from(first, (_, cell) => columns.map((column) => at(column, cell, "parent")));
  if (indexParents(cells).size !== cells.length) reader.fail("a list in which no two have the same parents");
  return cells;
}

/** Reads whole numbers in `[minimum, maximum]` from stretches `[first, count]` or `[first, count, step]`. */
function decodeRuns(reader: JsonReader, minimum: number, maximum: number): Int32Array {
  const runs = reader.items().map((item) => {
    const parts = item.items();
    if (parts.length < 2 || parts.length > 3) item.fail("[first, count] or [first, count, step]");
    const [, , step] = parts;
    return {
      first: at(parts, 0, "number").whole(minimum, maximum),
      count: at(parts, 1, "number").whole(1, MAX_COUNT),
      step: step?.whole(-MAX_COUNT, MAX_COUNT) ?? 1,
      item,
    };
  });
  const total = runs.reduce((sum, { count }) => sum + count, 0);
  if (total > MAX_COUNT) reader.fail(`a list of at most ${MAX_COUNT} numbers`);
  const values = new Int32Array(total);
  let place = 0;
  for (const { first, count, step, item } of runs) {
    const last = first + (count - 1) * step;
    if (last < minimum || last > maximum) item.fail(`a stretch of numbers from ${minimum} to ${maximum}`);
    for (let i = 0; i < count; i++) values[place++] = first + i * step;
  }
  return values;
}

function decodeWeight(
  reader: JsonReader,
  symmetries: readonly Omit<Symmetry, "axes">[],
  units: number,
): WeightLayout {
  reader.entries(["shape", "view", "role", "fields"]);
  const extents = (list: JsonReader): number[] => list.items().map((extent) => extent.whole(0));
  const shape = extents(reader.member("shape"));
  const viewReader = reader.member("view");
  const view = viewReader.present ? extents(viewReader) : shape;
  if (sizeOf(view) !== sizeOf(shape)) viewReader.fail("a view of as many elements as the shape");
  const role = reader.member("role").present
    ? reader.member("role").oneOf("statistic" as const)
    : "parameter";
  const fields = optionalItems(reader.member("fields")).map((item) =>
    decodeField(item, view, symmetries, units),
  );
  return { shape, view, role, fields };
}

function decodeField(
  reader: JsonReader,
  view: readonly number[],
  symmetries: readonly Omit<Symmetry, "axes">[],
  units: number,
): WeightField {
  reader.entries(["axes", "units", "ranks"]);
  const axes = reader
    .member("axes")
    .items()
    .map((axis) => axis.whole(0, view.length - 1));
  const ascending = axes.every((axis, i) => i === 0 || axis > at(axes, i - 1, "axis"));
  if (axes.length === 0 || !ascending) reader.member("axes").fail("a list of axes, ascending");
  const positions = sizeOf(axes.map((axis) => at(view, axis, "axis")));
  const lying = decodeUnits(reader.member("units"), symmetries, units);
  if (lying.length !== positions) {
    reader.member("units").fail(`a unit for each of ${positions} positions, not ${lying.length}`);
  }
  const ranks = reader.member("ranks");
  const decoded = ranks.present ? decodeRuns(ranks, 0, positions) : new Int32Array(positions);
  if (decoded.length !== positions) ranks.fail(`a rank for each of ${positions} positions`);
  return { axes, units: lying, ranks: decoded };
}

function decodeUnits(
  reader: JsonReader,
  symmetries: readonly Omit<Symmetry, "axes">[],
  units: number,
): Int32Array {
  if (typeof reader.value !== "string") return decodeRuns(reader, -1, units - 1);
  const name = reader.text();
  const symmetry = symmetries.find((candidate) => candidate.name === name);
  if (symmetry === undefined) return reader.fail("the name of a symmetry, or a list of units");
  const count = symmetry.size * symmetry.cells.length;
  return Int32Array.from({ length: count }, (_, i) => symmetry.firstUnit + i);
}

function decodeFrozen(reader: JsonReader): FrozenAxis {
  return {
    tensor: reader.member("tensor").text(),
    axis: reader.member("axis").whole(0),
    indices: reader.member("indices").whole(1),
    extent: reader.member("extent").whole(2),
    kernel: reader.member("kernel").oneOf(true, false),
    node: reader.member("node").text(),
    reason: reader.member("reason").text(),
  };
}

function decodeUnknown(reader: JsonReader): UnknownOperator {
  return { node: reader.member("node").text(), op: reader.member("op").text() };
}

/**
 * Reads the symmetries of a graph from a JSON file that was written by hand or saved.
 * @throws InputError if the file cannot be read
 * @throws FormatError if it has no valid symmetries; the message names the place
 * @throws MismatchError if they move weights that the graph does not have, or has in another shape
 */
export async function readSpec(path: string, { name, weights }: Graph): Promise<SymmetrySpec> {
  const spec = decodeSpec(await readJsonFile(path), path);
  assertFits({ source: name, tensors: weights }, spec);
  return spec;
}
