import { intAttribute, stringAttribute } from "../../ir/attributes.ts";
import type { Labelled } from "../labels/field.ts";
import { contract, type Factor } from "../primitives/contract.ts";
import { insertAxes, removeAxes, transpose } from "../primitives/move.ts";
import { tie } from "../primitives/tie.ts";
import { inputOf, type Rule, type RuleContext } from "./rule.ts";

function factor(context: RuleContext, input: number, tensor: Labelled): Factor {
  return { tensor, activation: context.isActivation(input) };
}

/** `MatMul`: `[..., m, k] x [..., k, n]`; vectors get an axis that is removed again. */
export const matMul: Rule = (context) => {
  const left = inputOf(context, 0);
  const right = inputOf(context, 1);
  const rows = left.shape.length === 1 ? insertAxes(left, [0]) : left;
  const columns = right.shape.length === 1 ? insertAxes(right, [1]) : right;
  const a = insertAxes(rows, [rows.shape.length]);
  const b = insertAxes(columns, [columns.shape.length - 2]);
  const rank = Math.max(a.shape.length, b.shape.length);
  const summed = rank - 2;
  const product = contract(context.store, [factor(context, 0, a), factor(context, 1, b)], [summed]);
  const dropped = [summed];
  if (left.shape.length === 1) dropped.push(rank - 3);
  if (right.shape.length === 1) dropped.push(rank - 1);
  return [removeAxes(product, dropped)];
};

/** `Gemm`: `[m, k] x [k, n] + C`, either factor transposed on request. */
export const gemm: Rule = (context) => {
  const oriented = (input: number, attribute: string): Labelled =>
    intAttribute(context.node, attribute, 0) === 1
      ? transpose(inputOf(context, input), [1, 0])
      : inputOf(context, input);
  const a = insertAxes(oriented(0, "transA"), [2]);
  const b = insertAxes(oriented(1, "transB"), [0]);
  const product = contract(context.store, [factor(context, 0, a), factor(context, 1, b)], [1]);
  const result = removeAxes(product, [1]);
  const added = context.inputs[2];
  return [added === undefined ? result : tie(context.store, [result, added])];
};

/** Letters of one operand, an ellipsis, or a repeated letter, which takes a diagonal. */
const PLAIN_TERM = /^[a-zA-Z]*$/;

/** `Einsum` without ellipsis and without repeated letters in one operand. */
export const einsum: Rule = (context) => {
  const equation = stringAttribute(context.node, "equation", "").replaceAll(" ", "");
  const [left = "", right] = equation.split("->");
  const terms = left.split(",");
  if (terms.some((term) => !PLAIN_TERM.test(term) || new Set(term).size !== term.length)) return undefined;
  const output = right ?? implicitOutput(left);
  const letters = [...output, ...new Set([...left.replaceAll(",", "")].filter((l) => !output.includes(l)))];
  const factors = terms.map((term, input) => {
    const order = letters.flatMap((letter) => (term.includes(letter) ? [term.indexOf(letter)] : []));
    const missing = letters.flatMap((letter, place) => (term.includes(letter) ? [] : [place]));
    return factor(context, input, insertAxes(transpose(inputOf(context, input), order), missing));
  });
  const summed = letters.flatMap((_, place) => (place < output.length ? [] : [place]));
  return [removeAxes(contract(context.store, factors, summed), summed)];
};

/** Without an arrow, the result has the letters that occur once, in alphabetical order. */
function implicitOutput(left: string): string {
  const all = [...left.replaceAll(",", "")];
  return all
    .filter((letter) => all.indexOf(letter) === all.lastIndexOf(letter))
    .sort()
    .join("");
}
