import { expand, reshape, type Value } from "@isthmus/graph/builder";
import { string, stringAttribute } from "@isthmus/graph/ir";
import {
  cotangent,
  type GradientContext,
  type GradientRule,
  operand,
  refuseVariant,
} from "../gradient-rule.ts";

/**
 * Sums of products over named indices: each operand receives the sum of products of the gradient and the other operands over
 * the indices that are not its own.
 */
export const einsumRule: GradientRule = (context) => {
  const equation = parse(context);
  const values = equation.terms.map((_, i) => operand(context, i));
  return values.map((x, own) =>
    context.needs(own) ? towards(context, equation, { x, own, values }) : undefined,
  );
};

interface Equation {
  /** Index names of each operand. */
  readonly terms: readonly string[];
  readonly output: string;
}

function parse(context: GradientContext): Equation {
  const equation = stringAttribute(context.node, "equation", "").replaceAll(" ", "");
  const [left = "", right] = equation.split("->");
  const terms = left.split(",");
  const isPlain = terms.every((term) => !term.includes(".") && new Set(term).size === term.length);
  if (!isPlain)
    refuseVariant(context, "must name every index once an operand, without dots", `"${equation}"`);
  const counts = [...terms.join("")].sort();
  const once = counts.filter((name, i) => name !== counts[i - 1] && name !== counts[i + 1]);
  return { terms, output: right ?? once.join("") };
}

interface Target {
  readonly x: Value;
  /** Which operand it is. */
  readonly own: number;
  readonly values: readonly Value[];
}

function towards(context: GradientContext, { terms, output }: Equation, { x, own, values }: Target): Value {
  const g = cotangent(context);
  const isOther = (_: unknown, i: number) => i !== own;
  const names = [output, ...terms.filter(isOther)];
  const term = [...(terms[own] ?? "")];
  // Indices that nothing else has were summed over: the gradient is the same all along them.
  const shared = term.filter((name) => names.some((other) => other.includes(name)));
  const extent = (name: string) => x.shape[term.indexOf(name)] ?? 1;
  const [product] = context.builder.emit(
    "Einsum",
    [g, ...values.filter(isOther)],
    [{ dtype: x.dtype, shape: shared.map(extent) }],
    { attributes: { equation: string(`${names.join(",")}->${shared.join("")}`) } },
  );
  const lined = term.map((name) => (shared.includes(name) ? extent(name) : 1));
  return expand(reshape(product as Value, lined), x.shape);
}
