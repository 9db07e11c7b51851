import { at } from "@isthmus/core";
import { intAttribute, stringAttribute } from "@isthmus/graph/ir";
import type { Labelled } from "../labels/field.ts";
import { contract, type Factor } from "../primitives/contract.ts";
import { insertAxes, removeAxes, transpose } from "../primitives/move.ts";
import { tie } from "../primitives/tie.ts";
import { inputOf, type Rule, type RuleContext } from "./rule.ts";

function factor(context: RuleContext, input: number, tensor: Labelled): Factor {
  return { tensor, activation: context.isActivation(input) };
}

/** Follows `MatMul`: `[..., m, k] x [..., k, n]`; vectors get an axis that is removed again. */
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

/** Returns the factors `[m, k, 1]` and `[1, k, n]` of a `Gemm`, either transposed on request. */
export function gemmFactors(context: RuleContext): readonly [Labelled, Labelled] {
  const oriented = (input: number, attribute: string): Labelled =>
    intAttribute(context.node, attribute, 0) === 1
      ? transpose(inputOf(context, input), [1, 0])
      : inputOf(context, input);
  return [insertAxes(oriented(0, "transA"), [2]), insertAxes(oriented(1, "transB"), [0])];
}

/** Follows `Gemm`: `[m, k] x [k, n] + C`, either factor transposed on request. */
export const gemm: Rule = (context) => {
  const [a, b] = gemmFactors(context);
  const product = contract(context.store, [factor(context, 0, a), factor(context, 1, b)], [1]);
  const result = removeAxes(product, [1]);
  const added = context.inputs[2];
  return [added === undefined ? result : tie(context.store, [result, added])];
};

/** Follows `Einsum`, unless a letter occurs twice in one operand, which would take a diagonal. */
export const einsum: Rule = (context) => {
  const equation = readEquation(context);
  if (equation.terms.some((term) => new Set(term).size !== term.length)) return undefined;
  const { terms, output } = equation;
  const letters = [...output, ...new Set(terms.flat().filter((letter) => !output.includes(letter)))];
  const factors = terms.map((term, input) => {
    const order = letters.flatMap((letter) => (term.includes(letter) ? [term.indexOf(letter)] : []));
    const missing = letters.flatMap((letter, place) => (term.includes(letter) ? [] : [place]));
    return factor(context, input, insertAxes(transpose(inputOf(context, input), order), missing));
  });
  const summed = letters.flatMap((_, place) => (place < output.length ? [] : [place]));
  return [removeAxes(contract(context.store, factors, summed), summed)];
};

/** The equation of an `Einsum`. */
interface Equation {
  /** Names of the axes of each operand. */
  readonly terms: readonly (readonly string[])[];
  /** Names of the axes of the result. */
  readonly output: readonly string[];
}

/**
 * Reads the equation of an `Einsum`. Axes under an ellipsis are named by their place before its end: `.2`,
 * `.1`.
 */
function readEquation(context: RuleContext): Equation {
  const equation = stringAttribute(context.node, "equation", "").replaceAll(" ", "");
  const [left = "", right] = equation.split("->");
  const texts = left.split(",");
  const covered = texts.map((text, input) =>
    text.includes("...") ? inputOf(context, input).shape.length - (text.length - "...".length) : 0,
  );
  const terms = texts.map((text, input) => nameAxes(text, at(covered, input, "operand")));
  const most = Math.max(0, ...covered);
  return { terms, output: right === undefined ? implicitOutput(terms, most) : nameAxes(right, most) };
}

function nameAxes(text: string, covered: number): string[] {
  const [before = "", after] = text.split("...");
  return after === undefined ? [...before] : [...before, ...coveredAxes(covered), ...after];
}

function coveredAxes(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `.${count - i}`);
}

/**
 * Names the axes of the result of an equation without an arrow: the axes under an ellipsis, then the letters
 * that occur once, in alphabetical order.
 */
function implicitOutput(terms: Equation["terms"], covered: number): string[] {
  const letters = terms.flat().filter((letter) => !letter.startsWith("."));
  const once = letters.filter((letter) => letters.indexOf(letter) === letters.lastIndexOf(letter));
  return [...coveredAxes(covered), ...once.sort()];
}
