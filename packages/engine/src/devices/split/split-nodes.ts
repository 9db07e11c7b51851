import { at, type TensorInfo } from "@isthmus/core";
import type { Node } from "@isthmus/graph";
import { add, concat, type Value } from "@isthmus/graph/builder";
import {
  ELEMENT_WISE_OPERATORS,
  intAttribute,
  intsAttribute,
  REDUCTION_OPERATORS,
  wrapAxis,
} from "@isthmus/graph/ir";
import { type AxisRange, type PartedGraph, type Parts, refusal } from "./parted-graph.ts";

/** Adds the nodes that compute what a node does, part by part; some of its values are above the limit. */
type SplitRule = (graph: PartedGraph, node: Node) => void;

/**
 * Returns the rule that divides the work of a node.
 * @throws UnsupportedError if there is none
 */
export function splitRule({ op, domain, inputs, outputs }: Node): SplitRule {
  const rule = domain === "" ? RULES.get(op) : undefined;
  if (rule === undefined || outputs.length !== 1)
    throw refusal(outputs[0] ?? inputs[0] ?? "", `${op} takes and gives values whole`);
  return rule;
}

/** Emits a node like another one, whose operands are parts. */
function emitPart(
  { builder }: PartedGraph,
  { op, attributes }: Node,
  inputs: readonly (Value | undefined)[],
  type: TensorInfo,
): Value {
  const made = builder.emit(op, inputs, [type], { attributes: Object.fromEntries(attributes) });
  return at(made, 0, "output");
}

const nameAt = ({ inputs }: Node, i: number): string => inputs[i] ?? "";

const outputOf = ({ outputs }: Node): string => outputs[0] ?? "";

/** Calls a function for each part, and returns the parts that it computes. */
function mapParts(
  { axis, bounds }: Pick<Parts, "axis" | "bounds">,
  compute: (range: AxisRange) => Value,
): Parts {
  const values = bounds.slice(0, -1).map((begin, i) => compute({ axis, begin, end: at(bounds, i + 1) }));
  return { axis, bounds, values };
}

/** Returns the shape of a range of a tensor. */
function ofRange({ dtype, shape }: TensorInfo, { axis, begin, end }: AxisRange): TensorInfo {
  return { dtype, shape: shape.with(axis, end - begin) };
}

/** Returns the parts in which a node's output is computed: those of the output, or those of an operand. */
function divisionOf(
  graph: PartedGraph,
  node: Node,
  axisOf: (input: number, axis: number) => number | undefined,
): Pick<Parts, "axis" | "bounds"> {
  const output = outputOf(node);
  for (const [i, input] of node.inputs.entries()) {
    const parts = graph.partsOf(input);
    const axis = parts && axisOf(i, parts.axis);
    if (parts === undefined) continue;
    if (axis === undefined) throw refusal(input, `${node.op} takes no parts along its axis ${parts.axis}`);
    return { axis, bounds: parts.bounds };
  }
  return graph.boundsOf(output);
}

const elementWise: SplitRule = (graph, node) => {
  const output = outputOf(node);
  const type = graph.typeOf(output);
  const shifts = node.inputs.map((input) =>
    input === "" ? 0 : type.shape.length - graph.typeOf(input).shape.length,
  );
  const division = graph.isLarge(output)
    ? graph.boundsOf(output)
    : divisionOf(graph, node, (i, axis) => axis + at(shifts, i));
  const parts = mapParts(division, (range) => {
    const operands = node.inputs.map((input, i) => {
      if (input === "") return undefined;
      const axis = range.axis - at(shifts, i);
      const extent = graph.typeOf(input).shape[axis];
      return graph.part(input, extent === undefined || extent === 1 ? [] : [{ ...range, axis }]);
    });
    return emitPart(graph, node, operands, ofRange(type, range));
  });
  graph.finish(output, parts);
};

/** Divides an operator that works along one axis, on all others alike. */
const alongAxis: SplitRule = (graph, node) => {
  const output = outputOf(node);
  const type = graph.typeOf(output);
  const working = wrapAxis(intAttribute(node, "axis", -1), type.shape.length);
  const division = divisionOf(graph, node, (_, axis) => axis);
  if (division.axis === working) throw refusal(output, `${node.op} needs all of axis ${working} at once`);
  graph.finish(
    output,
    mapParts(division, (range) =>
      emitPart(graph, node, [graph.part(nameAt(node, 0), [range])], ofRange(type, range)),
    ),
  );
};

/** Returns the axes that a reduction removes, or sets to one element; ArgMax has one. */
function reducedAxes(graph: PartedGraph, node: Node, rank: number): readonly number[] {
  if (node.op === "ArgMax") return [wrapAxis(intAttribute(node, "axis", 0), rank)];
  const fed = node.inputs[1] ? graph.builder.constantOf({ name: nameAt(node, 1) }) : undefined;
  if (node.inputs[1] && fed === undefined)
    throw refusal(nameAt(node, 0), `the axes of ${node.op} are computed`);
  const axes = fed === undefined ? intsAttribute(node, "axes") : Array.from(fed.data, Number);
  if (axes === undefined || axes.length === 0) return Array.from({ length: rank }, (_, axis) => axis);
  return axes.map((axis) => wrapAxis(axis, rank));
}

/** Reductions of which results of parts are added. */
const ADDED: ReadonlySet<string> = new Set(["ReduceSum", "ReduceSumSquare", "ReduceL1"]);

const reduction: SplitRule = (graph, node) => {
  const [input, output] = [nameAt(node, 0), outputOf(node)];
  const type = graph.typeOf(output);
  const { axis, bounds } = graph.partsOf(input) ?? graph.boundsOf(input);
  const reduced = reducedAxes(graph, node, graph.typeOf(input).shape.length);
  const rest = node.inputs.slice(1).map((name) => (name === "" ? undefined : graph.builder.value(name)));
  const compute = (range: AxisRange, made: TensorInfo) =>
    emitPart(graph, node, [graph.part(input, [range]), ...rest], made);
  if (reduced.includes(axis)) {
    if (!ADDED.has(node.op)) throw refusal(input, `${node.op} needs all of axis ${axis} at once`);
    const { values } = mapParts({ axis, bounds }, (range) => compute(range, type));
    graph.finish(output, {
      axis: 0,
      bounds: [0, 1],
      values: [values.reduce((sum, value) => add(sum, value))],
    });
    return;
  }
  const kept = intAttribute(node, "keepdims", 1) === 1;
  const outAxis = kept ? axis : axis - reduced.filter((one) => one < axis).length;
  const parts = mapParts({ axis, bounds }, (range) =>
    compute(range, ofRange(type, { ...range, axis: outAxis })),
  );
  graph.finish(output, { ...parts, axis: outAxis });
};

const gather: SplitRule = (graph, node) => {
  const [table, indices] = [nameAt(node, 0), nameAt(node, 1)];
  const output = outputOf(node);
  const type = graph.typeOf(output);
  const looked = wrapAxis(intAttribute(node, "axis", 0), graph.typeOf(table).shape.length);
  const extra = graph.typeOf(indices).shape.length - 1;
  const { axis, bounds } = graph.partsOf(table) ?? graph.boundsOf(table);
  if (axis === looked) throw refusal(table, `Gather looks up along its axis ${axis}`);
  const outAxis = axis < looked ? axis : axis + extra;
  const values = mapParts({ axis, bounds }, (range) =>
    emitPart(
      graph,
      node,
      [graph.part(table, [range]), graph.builder.value(indices)],
      ofRange(type, { ...range, axis: outAxis }),
    ),
  );
  graph.finish(output, { ...values, axis: outAxis });
};

const scatter: SplitRule = (graph, node) => {
  const [data, indices, updates] = [nameAt(node, 0), nameAt(node, 1), nameAt(node, 2)];
  const output = outputOf(node);
  const type = graph.typeOf(output);
  const { shape } = graph.typeOf(indices);
  const depth = at(shape, shape.length - 1);
  const division = divisionOf(graph, node, (input, axis) => (input === 0 ? axis : undefined));
  if (division.axis < depth) throw refusal(output, `ScatterND writes along axis ${division.axis}`);
  const shift = shape.length - 1 - depth;
  const parts = mapParts(division, (range) =>
    emitPart(
      graph,
      node,
      [
        graph.part(data, [range]),
        graph.builder.value(indices),
        graph.part(updates, [{ ...range, axis: range.axis + shift }]),
      ],
      ofRange(type, range),
    ),
  );
  graph.finish(output, parts);
};

const expand: SplitRule = (graph, node) => {
  const [input, output] = [nameAt(node, 0), outputOf(node)];
  const type = graph.typeOf(output);
  const shift = type.shape.length - graph.typeOf(input).shape.length;
  const parts = mapParts(graph.boundsOf(output), (range) => {
    const axis = range.axis - shift;
    const extent = graph.typeOf(input).shape[axis];
    const operand = graph.part(input, extent === undefined || extent === 1 ? [] : [{ ...range, axis }]);
    const made = ofRange(type, range);
    return emitPart(graph, node, [operand, graph.builder.ints(made.shape)], made);
  });
  graph.finish(output, parts);
};

const transpose: SplitRule = (graph, node) => {
  const [input, output] = [nameAt(node, 0), outputOf(node)];
  const type = graph.typeOf(output);
  const { length } = type.shape;
  const perm = intsAttribute(node, "perm") ?? Array.from({ length }, (_, i) => length - 1 - i);
  const division = divisionOf(graph, node, (_, axis) => perm.indexOf(axis));
  const parts = mapParts(division, (range) =>
    emitPart(
      graph,
      node,
      [graph.part(input, [{ ...range, axis: at(perm, range.axis) }])],
      ofRange(type, range),
    ),
  );
  graph.finish(output, parts);
};

/**
 * Divides a reshape along an axis before which there are as many elements on both sides: by the parts of the
 * output, or of the input if these are coarser.
 */
const reshape: SplitRule = (graph, node) => {
  const [input, output] = [nameAt(node, 0), outputOf(node)];
  const [from, to] = [graph.typeOf(input), graph.typeOf(output)];
  const fed = graph.partsOf(input) ?? graph.boundsOf(input);
  const before = (shape: readonly number[], axis: number) =>
    shape.slice(0, axis).reduce((size, extent) => size * extent, 1);
  const axis = to.shape.findIndex((_, i) => before(to.shape, i) === before(from.shape, fed.axis));
  const ratio = at(to.shape, Math.max(axis, 0), "axis") / at(from.shape, fed.axis, "axis");
  const own = graph.isLarge(output) ? graph.boundsOf(output) : undefined;
  const candidates = [...(own?.axis === axis ? [own.bounds] : []), fed.bounds.map((bound) => bound * ratio)];
  const bounds = candidates.find((some) =>
    some.every((bound) => Number.isInteger(bound) && Number.isInteger(bound / ratio)),
  );
  if (axis < 0 || bounds === undefined)
    throw refusal(input, `Reshape to [${to.shape.join(", ")}] takes parts along axis ${fed.axis} apart`);
  const parts = mapParts({ axis, bounds }, (range) => {
    const taken = { axis: fed.axis, begin: range.begin / ratio, end: range.end / ratio };
    const made = ofRange(to, range);
    return emitPart(graph, node, [graph.part(input, [taken]), graph.builder.ints(made.shape)], made);
  });
  graph.finish(output, parts);
};

/** The axes of a product's operands and output. */
interface ProductAxes {
  /** Axis of the left operand that is that of the output's rows, and the one that is summed over. */
  readonly left: readonly [rows: number, sum: number];
  /** Axis of the right operand that is that of the output's columns, and the one that is summed over. */
  readonly right: readonly [columns: number, sum: number];
  /** Axes of the output's rows and columns. */
  readonly out: readonly [rows: number, columns: number];
}

function productAxes(graph: PartedGraph, node: Node): ProductAxes {
  const rankOf = (name: string) => graph.typeOf(name).shape.length;
  const [left, right, out] = [rankOf(nameAt(node, 0)), rankOf(nameAt(node, 1)), rankOf(outputOf(node))];
  if (left < 2 || right < 2) throw refusal(outputOf(node), "a product of vectors takes them whole");
  return {
    left: intAttribute(node, "transA", 0) === 1 ? [left - 1, left - 2] : [left - 2, left - 1],
    right: intAttribute(node, "transB", 0) === 1 ? [right - 2, right - 1] : [right - 1, right - 2],
    out: [out - 2, out - 1],
  };
}

/** Divides a product into blocks of rows and columns, each the sum over ranges of the axis in common. */
const product: SplitRule = (graph, node) => {
  const [a, b, output] = [nameAt(node, 0), nameAt(node, 1), outputOf(node)];
  const { left, right, out } = productAxes(graph, node);
  const type = graph.typeOf(output);
  const own = graph.isLarge(output) ? graph.boundsOf(output) : undefined;
  if (own !== undefined && !out.includes(own.axis))
    throw refusal(output, "a product of many matrices is divided into rows or columns only");
  const divide = (name: string, axis: number, outAxis: number): Pick<Parts, "axis" | "bounds"> => {
    const parts = graph.partsOf(name);
    const bounds = parts?.axis === axis ? parts.bounds : [0, at(type.shape, outAxis)];
    return own?.axis === outAxis ? own : { axis: outAxis, bounds };
  };
  const rows = divide(a, left[0], out[0]);
  const columns = divide(b, right[0], out[1]);
  const summed = [graph.partsOf(a), graph.partsOf(b)].find(
    (parts, i) => parts?.axis === (i === 0 ? left[1] : right[1]),
  );
  const common = [0, at(graph.typeOf(a).shape, left[1])];
  const blockOf = (row: AxisRange, column: AxisRange): Value => {
    const made = ofRange(ofRange(type, row), column);
    const { values } = mapParts({ axis: 0, bounds: summed?.bounds ?? common }, (range) => {
      const operands = [
        graph.part(a, [
          { ...row, axis: left[0] },
          { ...range, axis: left[1] },
        ]),
        graph.part(b, [
          { ...column, axis: right[0] },
          { ...range, axis: right[1] },
        ]),
      ];
      const bias = range.begin === 0 ? biasOf(graph, node, [row, column]) : undefined;
      return emitPart(graph, node, bias === undefined ? operands : [...operands, bias], made);
    });
    return values.reduce((sum, value) => add(sum, value));
  };
  // Parts of a large output stay apart, so that the axis along which it is divided comes first.
  const isByColumns = own?.axis === out[1];
  const [outer, inner] = isByColumns ? [columns, rows] : [rows, columns];
  const parts = mapParts(outer, (one) => {
    const { values } = mapParts(inner, (two) => (isByColumns ? blockOf(two, one) : blockOf(one, two)));
    return values.length === 1 ? at(values, 0) : concat(values, inner.axis);
  });
  graph.finish(output, parts);
};

/** Returns the ranges of a product's bias, which is broadcast; undefined if it has none. */
function biasOf(graph: PartedGraph, node: Node, ranges: readonly AxisRange[]): Value | undefined {
  const name = nameAt(node, 2);
  if (name === "") return undefined;
  const { shape } = graph.typeOf(name);
  const shift = graph.typeOf(outputOf(node)).shape.length - shape.length;
  const own = ranges.map((range) => ({ ...range, axis: range.axis - shift }));
  return graph.part(
    name,
    own.filter(({ axis }) => axis >= 0 && (shape[axis] ?? 1) > 1),
  );
}

const RULES: ReadonlyMap<string, SplitRule> = new Map<string, SplitRule>([
  ...ELEMENT_WISE_OPERATORS.map((op): [string, SplitRule] => [op, elementWise]),
  ...REDUCTION_OPERATORS.map((op): [string, SplitRule] => [op, reduction]),
  ["ArgMax", reduction],
  ["Softmax", alongAxis],
  ["LogSoftmax", alongAxis],
  ["Gather", gather],
  ["ScatterND", scatter],
  ["Expand", expand],
  ["Transpose", transpose],
  ["Reshape", reshape],
  ["Gemm", product],
  ["MatMul", product],
]);
