import { allocateData, at, entry, sizeOf, type Tensor } from "@isthmus/core";
import type { Attribute, Node } from "@isthmus/graph";
import { ELEMENT_WISE_OPERATORS, int, intAttribute, ints, intsAttribute, wrapAxis } from "@isthmus/graph/ir";
import { gatherAxis } from "../kernels/gather-axis.ts";
import type { AxisPlan } from "../layout/axis-plan.ts";
import type { AxisPlans, ProbedGraph } from "./separable-graph.ts";

/** A node for the wide network, with the new constants that it reads. */
export interface WidenedNode {
  /** Node of the wide network; the original node if nothing in it depends on widths. */
  readonly node: Node;
  /** New constants by name, such as wide shapes; empty if the node reads none. */
  readonly constants: ReadonlyMap<string, Tensor>;
}

/** Reason for which a node cannot be widened. */
export interface Refusal {
  /** Reason as the end of a sentence about the node: "it cuts through units". */
  readonly refusal: string;
}

const ELEMENT_WISE: ReadonlySet<string> = new Set(ELEMENT_WISE_OPERATORS);
const RECURRENT: ReadonlySet<string> = new Set(["LSTM", "GRU", "RNN"]);
const NO_PLANS: ReadonlyMap<number, AxisPlan> = new Map();

/**
 * Rewrites the parts of a node that depend on widths: shapes, sizes of parts, numbers of groups and of hidden
 * units. Most nodes have none and do not change.
 */
export function widenNode(node: Node, probed: ProbedGraph, plans: AxisPlans): WidenedNode | Refusal {
  const touched = [...node.inputs, ...node.outputs].some((name) => (plans.get(name)?.size ?? 0) > 0);
  if (!touched || node.domain !== "") return unchanged(node);
  const widening: Widening = { node, probed, plans };
  if (ELEMENT_WISE.has(node.op)) return widenConstants(widening);
  if (RECURRENT.has(node.op)) return widenRecurrent(widening);
  switch (node.op) {
    case "Reshape":
      return widenReshape(widening);
    case "Expand":
      return widenExpand(widening);
    case "Split":
      return widenSplit(widening);
    case "Slice":
      return widenSlice(widening);
    case "Conv":
    case "ConvTranspose":
      return widenGroups(widening);
    case "Gather":
      return keepsAxis(widening, wrapAxis(intAttribute(node, "axis", 0), rankOf(widening, 0)));
    case "Pad":
      return keepsPadding(widening);
    default:
      return unchanged(node);
  }
}

interface Widening {
  readonly node: Node;
  readonly probed: ProbedGraph;
  readonly plans: AxisPlans;
}

const unchanged = (node: Node): WidenedNode => ({ node, constants: new Map() });

const plansOf = (plans: AxisPlans, name: string): ReadonlyMap<number, AxisPlan> =>
  plans.get(name) ?? NO_PLANS;

/** Returns the shape of a value in the wide network. */
export function widenedShape(probed: Pick<ProbedGraph, "types">, plans: AxisPlans, name: string): number[] {
  const { shape } = entry(probed.types, name, "value");
  return shape.map((extent, axis) => plans.get(name)?.get(axis)?.from.length ?? extent);
}

function rankOf({ node, probed }: Widening, input: number): number {
  return entry(probed.types, at(node.inputs, input, "input"), "value").shape.length;
}

/** Returns a node that reads another constant in place of an input. */
function withConstant(
  node: Node,
  input: number,
  tensor: Tensor,
  before: ReadonlyMap<string, Tensor> = new Map(),
): WidenedNode {
  const name = `${node.outputs.find((output) => output !== "") ?? node.name}:input${input}`;
  const inputs = node.inputs.map((own, i) => (i === input ? name : own));
  if (input >= inputs.length) inputs.push(...Array<string>(input - inputs.length).fill(""), name);
  return { node: { ...node, inputs }, constants: new Map([...before, [name, tensor]]) };
}

const wholeNumbers = (numbers: readonly number[]): Tensor => {
  return { dtype: "i64", shape: [numbers.length], data: BigInt64Array.from(numbers, BigInt) };
};

/** Extends constants with an element for each unit to the units of the wide network. */
function widenConstants({ node, probed, plans }: Widening): WidenedNode {
  const output = at(node.outputs, 0, "output");
  const rank = entry(probed.types, output, "value").shape.length;
  let widened = unchanged(node);
  node.inputs.forEach((input, i) => {
    const constant = probed.constants.get(input);
    if (constant === undefined || (plans.get(input)?.size ?? 0) > 0) return;
    const missing = rank - constant.shape.length;
    let tensor = constant;
    for (const [axis, plan] of plansOf(plans, output)) {
      const place = axis - missing;
      if (place >= 0 && at(tensor.shape, place, "axis") > 1) tensor = spreadTensor(tensor, place, plan);
    }
    if (tensor !== constant) widened = withConstant(widened.node, i, tensor, widened.constants);
  });
  return widened;
}

function spreadTensor(tensor: Tensor, axis: number, { from }: AxisPlan): Tensor {
  const shape = tensor.shape.map((extent, i) => (i === axis ? from.length : extent));
  const inner = sizeOf(tensor.shape.slice(axis + 1));
  const data = allocateData(tensor.dtype, sizeOf(shape));
  gatherAxis(tensor.data, { extent: at(tensor.shape, axis, "axis"), inner, from }, data);
  return { dtype: tensor.dtype, shape, data };
}

function widenRecurrent({ node, probed, plans }: Widening): WidenedNode {
  const hidden = at(widenedShape(probed, plans, at(node.inputs, 2, "input")), 2, "axis");
  return unchanged(withAttribute(node, "hidden_size", int(hidden)));
}

function withAttribute(node: Node, name: string, attribute: Attribute | undefined): Node {
  const attributes = new Map(node.attributes);
  if (attribute === undefined) attributes.delete(name);
  else attributes.set(name, attribute);
  return { ...node, attributes };
}

/**
 * Writes the wide shape into a reshape. Numbers that depend on the extents of the inputs become 0, which
 * keeps the extent, or -1, which infers it and may occur once.
 */
function widenReshape(widening: Widening): WidenedNode | Refusal {
  const { node, probed, plans } = widening;
  const [input = "", shapeName = ""] = node.inputs;
  const output = at(node.outputs, 0, "output");
  if (plansOf(plans, output).size === 0 && plansOf(plans, input).size > 0) {
    return { refusal: "units are reshaped into an axis where they can no longer be told apart" };
  }
  const before = entry(probed.types, output, "value").shape;
  const after = widenedShape(probed, plans, output);
  const otherOutput = entry(probed.otherTypes, output, "value").shape;
  const inputShape = entry(probed.types, input, "value").shape;
  const otherInput = entry(probed.otherTypes, input, "value").shape;
  if (before.some((extent, axis) => plans.get(output)?.has(axis) && extent !== otherOutput[axis])) {
    return { refusal: "units share an axis with the batch" };
  }
  const shape = probed.constants.get(shapeName);
  if (shape === undefined) return { refusal: "its shape is computed from data" };
  let inferred = 0;
  const numbers = after.map((extent, axis) => {
    if (before[axis] === otherOutput[axis]) return extent;
    if (inputShape[axis] === before[axis] && otherInput[axis] === otherOutput[axis]) return 0;
    inferred++;
    return -1;
  });
  if (inferred > 1) return { refusal: "several numbers of its shape depend on the extents of the inputs" };
  if (intAttribute(node, "allowzero", 0) === 1 && numbers.includes(0)) {
    return withConstant(withAttribute(node, "allowzero", undefined), 1, wholeNumbers(numbers));
  }
  return withConstant(node, 1, wholeNumbers(numbers));
}

function widenExpand({ node, probed, plans }: Widening): WidenedNode | Refusal {
  const [input = "", shapeName = ""] = node.inputs;
  const output = at(node.outputs, 0, "output");
  const shape = probed.constants.get(shapeName);
  const other = probed.otherConstants.get(shapeName);
  if (shape === undefined || other === undefined) return { refusal: "its shape is computed from data" };
  const numbers = Array.from(shape.data as ArrayLike<number | bigint>, Number);
  const missing = entry(probed.types, output, "value").shape.length - numbers.length;
  const otherNumbers = Array.from(other.data as ArrayLike<number | bigint>, Number);
  if (numbers.some((number, i) => number !== otherNumbers[i])) {
    return { refusal: "its shape depends on the extents of the inputs" };
  }
  const isRepeated = [...plansOf(plans, output).keys()].some((axis) => !plansOf(plans, input).has(axis));
  if (isRepeated && plansOf(plans, input).size > 0) return { refusal: "it repeats units along another axis" };
  const after = widenedShape(probed, plans, output);
  return withConstant(
    node,
    1,
    wholeNumbers(numbers.map((number, i) => (number === 1 ? 1 : at(after, i + missing, "axis")))),
  );
}

function widenSplit(widening: Widening): WidenedNode {
  const { node, probed, plans } = widening;
  const axis = wrapAxis(intAttribute(node, "axis", 0), rankOf(widening, 0));
  if (!plansOf(plans, at(node.inputs, 0, "input")).has(axis)) return unchanged(node);
  const sizes = node.outputs.map((output) => at(widenedShape(probed, plans, output), axis, "axis"));
  if (intsAttribute(node, "split") !== undefined) return unchanged(withAttribute(node, "split", ints(sizes)));
  return withConstant(withAttribute(node, "num_outputs", undefined), 1, wholeNumbers(sizes));
}

function widenSlice(widening: Widening): WidenedNode | Refusal {
  const { node, probed, plans } = widening;
  const [input = "", ...parameters] = node.inputs;
  const planned = plansOf(plans, input);
  if (planned.size === 0) return unchanged(node);
  const read = (i: number): number[] | undefined => {
    const name = parameters[i];
    const constant = name === undefined ? undefined : probed.constants.get(name);
    return constant && Array.from(constant.data as ArrayLike<number | bigint>, Number);
  };
  const [starts, ends] = [read(0), read(1)];
  if (starts === undefined || ends === undefined) return { refusal: "its bounds are no constants" };
  const shape = entry(probed.types, input, "value").shape;
  const axes = (read(2) ?? [...starts.keys()]).map((axis) => wrapAxis(axis, shape.length));
  const steps = read(3) ?? axes.map(() => 1);
  if (!axes.some((axis) => planned.has(axis))) return unchanged(node);
  const [newStarts, newEnds] = [[...starts], [...ends]];
  for (const [i, axis] of axes.entries()) {
    const plan = planned.get(axis);
    if (plan === undefined) continue;
    const extent = at(shape, axis, "axis");
    const bound = (place: number) =>
      plan.starts[Math.min(extent, place < 0 ? Math.max(0, place + extent) : place)];
    const [first = -1, last = -1] = [bound(at(starts, i, "start")), bound(at(ends, i, "end"))];
    if (at(steps, i, "step") !== 1 || first < 0 || last < 0) return { refusal: "it cuts through units" };
    newStarts[i] = first;
    newEnds[i] = last;
  }
  const first = withConstant(node, 1, wholeNumbers(newStarts));
  return withConstant(first.node, 2, wholeNumbers(newEnds), first.constants);
}

/** Adapts the number of groups of a convolution; each group keeps its width. */
function widenGroups({ node, probed, plans }: Widening): WidenedNode | Refusal {
  const groups = intAttribute(node, "group", 1);
  if (groups === 1) return unchanged(node);
  const [input = "", kernel = ""] = node.inputs;
  const channels = at(widenedShape(probed, plans, input), 1, "axis");
  const before = at(entry(probed.types, input, "value").shape, 1, "axis") / groups;
  // Widened kernels of groups are known by their views; the count of groups follows from the channels.
  if (channels % before !== 0) return { refusal: `its ${groups} groups would have different widths` };
  if (plansOf(plans, kernel).has(1)) return { refusal: "the width of its groups would change" };
  return unchanged(withAttribute(node, "group", int(channels / before)));
}

/** Leaves a node unchanged if no units lie on an axis. */
function keepsAxis({ node, plans }: Widening, axis: number): WidenedNode | Refusal {
  return plansOf(plans, at(node.inputs, 0, "input")).has(axis)
    ? { refusal: "it picks units by their positions" }
    : unchanged(node);
}

function keepsPadding({ node, probed, plans }: Widening): WidenedNode | Refusal {
  const [input = "", padsName = ""] = node.inputs;
  const constant = probed.constants.get(padsName);
  const pads =
    intsAttribute(node, "pads") ??
    (constant && Array.from(constant.data as ArrayLike<number | bigint>, Number));
  if (pads === undefined) return { refusal: "its padding is no constant" };
  const rank = entry(probed.types, input, "value").shape.length;
  const isPadded = (axis: number) => pads[axis] !== 0 || pads[axis + rank] !== 0;
  return pads.length !== 2 * rank || [...plansOf(plans, input).keys()].some(isPadded)
    ? { refusal: "it pads an axis of units" }
    : unchanged(node);
}
