import { sizeOf } from "@isthmus/core";
import { gather, pad, reshape, scatterND, transpose, type Value } from "@isthmus/graph/builder";
import { constantNumbers, intAttribute, wrapAxis } from "@isthmus/graph/ir";
import { cotangent, type GradientRule, operand } from "../gradient-rule.ts";
import { assertScatterAdds } from "../scatter-adds.ts";
import { zeros } from "../zeros.ts";

/** Rows by index: each row receives the sum of the gradients of its copies. */
export const gatherRule: GradientRule = (context) => {
  const [table, indices] = [operand(context, 0), operand(context, 1)];
  const axis = wrapAxis(intAttribute(context.node, "axis", 0), table.shape.length);
  const g = cotangent(context);
  const rows = constantNumbers(context, 1)?.map((row) => wrapAxis(row, table.shape[axis] ?? 0));
  const known = rows === undefined ? undefined : byKnownRows(g, { table, axis, rows });
  if (known !== undefined) return [known];
  assertScatterAdds(context);
  return [byScattering(g, { table, indices, axis })];
};

interface KnownRows {
  readonly table: Value;
  readonly axis: number;
  readonly rows: readonly number[];
}

/** Without scattering, for a run of neighbouring rows or a reordering of all; undefined for other rows. */
function byKnownRows(g: Value, { table, axis, rows }: KnownRows): Value | undefined {
  const extent = table.shape[axis] ?? 0;
  const [first = 0] = rows;
  const lined = reshapeRows(g, { table, axis, count: rows.length });
  if (rows.length > 0 && rows.every((row, i) => row === first + i)) {
    const none = table.shape.map(() => 0);
    const at = (value: number) => none.map((zero, i) => (i === axis ? value : zero));
    return pad(lined, at(first), at(extent - first - rows.length));
  }
  if (rows.length !== extent || new Set(rows).size !== extent) return undefined;
  const inverse = table.builder.ints(Array.from({ length: extent }, (_, row) => rows.indexOf(row)));
  return gather(lined, inverse, axis);
}

/** The gradient with all axes of the indices as one. */
function reshapeRows(g: Value, { table, axis, count }: { table: Value; axis: number; count: number }): Value {
  return reshape(
    g,
    table.shape.map((extent, i) => (i === axis ? count : extent)),
  );
}

interface UnknownRows {
  readonly table: Value;
  readonly axis: number;
  readonly indices: Value;
}

function byScattering(g: Value, { table, axis, indices }: UnknownRows): Value {
  const lined = reshapeRows(g, { table, axis, count: sizeOf(indices.shape) });
  // Whole rows are added at once where their axis comes first: by far the fastest way to scatter.
  const rowsFirst = [axis, ...[...table.shape.keys()].filter((other) => other !== axis)];
  const updates = transpose(lined, rowsFirst);
  const empty = zeros(
    table,
    rowsFirst.map((from) => table.shape[from] ?? 0),
  );
  const places = reshape(indices, [sizeOf(indices.shape), 1]);
  const total = scatterND(empty, places, updates, { reduction: "add" });
  return transpose(
    total,
    rowsFirst.map((_, to) => rowsFirst.indexOf(to)),
  );
}
