import { at } from "@isthmus/core";
import type { Node } from "@isthmus/graph";
import { constantNumbers, intAttribute, intsAttribute, wrapAxis } from "@isthmus/graph/ir";
import type { Labelled } from "../../labels/field.ts";
import { joinAlong, moving } from "../../linear/move-factors.ts";
import type { WalkRule } from "../../linear/rule.ts";
import { compress, insertAxes, removeAxes, transpose } from "../../primitives/move.ts";
import {
  expansion,
  gather,
  gatherNd,
  reshaping,
  slice,
  split,
  tile,
  transposition,
} from "../../rules/movement.ts";
import {
  givenInputs,
  inputName,
  inputOf,
  namedAxes,
  outputShape,
  type Rule,
  type RuleContext,
} from "../../rules/rule.ts";
import { rotaryEmbedding } from "./rotary-embedding.ts";
import type { TurnAlgebra } from "./turn-algebra.ts";
import { contract, divide, multiply, type Operand } from "./turn-products.ts";

type TurnRule = WalkRule<TurnAlgebra>;
type TurnContext = RuleContext & { readonly algebra: TurnAlgebra };

function operandOf(context: TurnContext, input: number, tensor = inputOf(context, input)): Operand {
  return { tensor, name: inputName(context.node, input) ?? "", constant: context.constant(input) };
}

const pass: TurnRule = (context) => [inputOf(context, 0)];

const negate: TurnRule = (context) => [context.algebra.turn(inputOf(context, 0), 2)];

function sum(turns: number): TurnRule {
  return (context) => {
    const { algebra } = context;
    const second = inputOf(context, 1);
    const turned = turns === 0 ? second : algebra.turn(algebra.changing(second), turns);
    return [algebra.add([inputOf(context, 0), turned], outputShape(context))];
  };
}

function product(combine: typeof multiply): TurnRule {
  return (context) => {
    const operands = [operandOf(context, 0), operandOf(context, 1)] as const;
    return [combine(context.algebra, operands, outputShape(context))];
  };
}

const matMul: TurnRule = (context) => {
  const [left, right] = [inputOf(context, 0), inputOf(context, 1)];
  if (left.shape.length < 2 || right.shape.length < 2) return undefined;
  const a = operandOf(context, 0, insertAxes(left, [left.shape.length]));
  const b = operandOf(context, 1, insertAxes(right, [right.shape.length - 2]));
  const summed = Math.max(a.tensor.shape.length, b.tensor.shape.length) - 2;
  return [removeAxes(contract(context.algebra, [a, b], summed), [summed])];
};

const gemm: TurnRule = (context) => {
  const { algebra, node } = context;
  const oriented = (input: number, attribute: string): Labelled =>
    intAttribute(node, attribute, 0) === 1
      ? transpose(inputOf(context, input), [1, 0])
      : inputOf(context, input);
  const a = operandOf(context, 0, insertAxes(oriented(0, "transA"), [2]));
  const b = operandOf(context, 1, insertAxes(oriented(1, "transB"), [0]));
  const result = removeAxes(contract(algebra, [a, b], 1), [1]);
  const added = context.inputs[2];
  return [added === undefined ? result : algebra.add([result, added], outputShape(context))];
};

/**
 * Creates a rule that moves places as a rule of labels moves labels. If it moves elements along an axis on
 * which the places do not lie, it records the move: places that were moved differently do not belong
 * together.
 *
 * @param describe - describes the move along axes on which a field does not lie; undefined if there is none
 */
function moved(
  rule: Rule,
  describe: (context: RuleContext, axes: readonly number[], output: number) => string | undefined,
): TurnRule {
  const move = moving(rule);
  return (context) => {
    const { algebra } = context;
    const x = algebra.changing(inputOf(context, 0));
    const results = move({ ...context, inputs: [x, ...context.inputs.slice(1)] });
    return results?.map((result, output) => {
      if (result === undefined) return undefined;
      const fields = result.fields.map((field, i) => {
        const event = describe(context, at(x.fields, i, "field").axes, output);
        return event === undefined ? field : { ...field, data: algebra.after(field.data, event) };
      });
      return { shape: result.shape, fields };
    });
  };
}

/** Describes a move that is fully determined by the extents before and after. */
function byShape(context: RuleContext): string | undefined {
  const [before, after] = [inputOf(context, 0).shape.join(), outputShape(context).join()];
  return before === after ? undefined : `from ${before} to ${after}`;
}

function byOrder({ node }: RuleContext): string {
  return `transposed to ${intsAttribute(node, "perm")?.join()}`;
}

function bySlice(context: RuleContext, axes: readonly number[]): string | undefined {
  const { node } = context;
  const starts = intsAttribute(node, "starts") ?? constantNumbers(context, 1) ?? [];
  const sliced = namedAxes(context, 3, inputOf(context, 0).shape.length) ?? starts.map((_, axis) => axis);
  if (sliced.every((axis) => axes.includes(axis))) return undefined;
  const steps = constantNumbers(context, 4);
  return `from ${starts.join()} along ${sliced.join()} by ${steps?.join()} to ${outputShape(context).join()}`;
}

function bySplit(context: RuleContext, axes: readonly number[], output: number): string | undefined {
  const axis = axisOf(context);
  return axes.includes(axis) ? undefined : `part ${output} along ${axis} of ${outputShape(context, output)}`;
}

function byIndices(context: RuleContext, axes: readonly number[]): string | undefined {
  const axis = axisOf(context);
  return axes.includes(axis) ? undefined : `at ${constantNumbers(context, 1)?.join()} along ${axis}`;
}

function axisOf(context: RuleContext): number {
  return wrapAxis(intAttribute(context.node, "axis", 0), inputOf(context, 0).shape.length);
}

const gathered = moved(gather, byIndices);

/** Follows `Concat`: places are put one after the other, even on an axis on which none lay before. */
const concatenated: TurnRule = (context) => {
  const { algebra, node } = context;
  const inputs = givenInputs(context).map((input) => algebra.changing(input));
  if (inputs.some(({ fields }) => fields.length > 1)) return undefined;
  const shape = outputShape(context);
  const axis = wrapAxis(intAttribute(node, "axis", 0), shape.length);
  const axes = [...new Set([axis, ...inputs.flatMap(({ fields }) => fields.flatMap((field) => field.axes))])];
  if (axes.length === 1 && inputs.every(({ fields }) => fields.length === 0)) return [{ shape, fields: [] }];
  axes.sort((a, b) => a - b);
  const joined = compress({ frozen: false, axes, data: joinAlong(inputs, shape, { axes, axis }) }, shape);
  const isAlong = joined.axes.includes(axis);
  const data = isAlong ? joined.data : algebra.after(joined.data, `joined ${node.inputs.join()}`);
  return [{ shape, fields: [{ ...joined, data }] }];
};

/** Follows functions that make tables of factors, such as cosines of angles. */
const table: TurnRule = (context) => [context.algebra.apply(context.node.op, inputOf(context, 0))];

/**
 * Follows a lookup of rows in a constant table, such as cosines of the angles at computed positions: values
 * along the other axes are known although the rows are not.
 *
 * @param axis - the axis that is looked up along
 * @param added - number of axes of the result in its place, less one
 */
function looked(context: TurnContext, axis: number, added: number): readonly Labelled[] | undefined {
  const table = context.constant(0);
  const name = inputName(context.node, 0);
  const indices = inputOf(context, 1);
  if (table === undefined || name === undefined || indices.fields.length > 0) return undefined;
  const others = table.shape.flatMap((extent, other) => (other === axis || extent === 1 ? [] : [other]));
  if (others.length === 0) return undefined;
  const { algebra } = context;
  const slices = algebra.slices.of(name, table, table.shape, others);
  const data = algebra.lookUp(slices, `along ${axis} at ${context.node.inputs[1]}`);
  const axes = others.map((other) => (other < axis ? other : other + added));
  const field = { frozen: false, axes, data };
  algebra.fixLater(field);
  return [{ shape: outputShape(context), fields: [field] }];
}

/** Follows `Gather`, at constant indices or in a constant table. */
function gatheredAlong(context: TurnContext): ReturnType<TurnRule> {
  if (context.constant(1) !== undefined) return gathered(context);
  return looked(context, axisOf(context), inputOf(context, 1).shape.length - 1);
}

const placed = moved(gatherNd, ({ node }) => `at ${node.inputs[1]}`);

/** Follows `GatherND`, at constant indices or for whole rows of a constant table. */
function gatheredNd(context: TurnContext): ReturnType<TurnRule> {
  if (context.constant(1) !== undefined) return placed(context);
  const { shape } = inputOf(context, 1);
  const isOfRows = shape.at(-1) === 1 && intAttribute(context.node, "batch_dims", 0) === 0;
  return isOfRows ? looked(context, 0, shape.length - 2) : undefined;
}

const RULES: ReadonlyMap<string, TurnRule> = new Map<string, TurnRule>([
  ["Identity", pass],
  ["Dropout", pass],
  ["Cos", table],
  ["Sin", table],
  ["Neg", negate],
  ["Add", sum(0)],
  ["Sub", sum(2)],
  ["Mul", product(multiply)],
  ["Div", product(divide)],
  ["MatMul", matMul],
  ["Gemm", gemm],
  ["Concat", concatenated],
  ["RotaryEmbedding", rotaryEmbedding],
  ["Reshape", moved(reshaping, byShape)],
  ["Flatten", moved(reshaping, byShape)],
  ["Squeeze", moved(reshaping, byShape)],
  ["Unsqueeze", moved(reshaping, byShape)],
  ["Expand", moved(expansion, byShape)],
  ["Tile", moved(tile, byShape)],
  ["Transpose", moved(transposition, byOrder)],
  ["Slice", moved(slice, bySlice)],
  ["Split", moved(split, bySplit)],
  ["GatherND", gatheredNd],
  ["Gather", gatheredAlong],
]);

/** Returns the rule of a node; nodes without one demand that their inputs do not change. */
export function turnRuleOf({ domain, op }: Node): TurnRule | undefined {
  return domain === "" ? RULES.get(op) : undefined;
}
