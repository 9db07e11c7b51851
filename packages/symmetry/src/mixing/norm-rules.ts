import type { Node } from "@isthmus/graph";
import { extentOf, type Field, type Labelled } from "../labels/field.ts";
import type { FactorAlgebra } from "../linear/factor-algebra.ts";
import type { FactorContext, FactorRule } from "../linear/rule.ts";
import { outputShape } from "../rules/rule.ts";
import type { Norm } from "./find-norms.ts";

/** A norm that a walk reached, and the factors on the axis that is normalised. */
export interface NormVisit {
  /** Norm that was reached. */
  readonly norm: Norm;
  /** Factor at each place along the axis; undefined if the axis cannot be followed. */
  readonly factors: Int32Array | undefined;
  /**
   * Whether the axis holds other units for each place along another axis, as in norms of the heads of queries
   * and keys.
   */
  readonly isOfHeads: boolean;
}

/** Rules for the nodes of norms, by node, and the norms that a walk by these rules reached. */
export interface NormRules {
  /** Rules of the nodes of the norms, which replace the rules of their operators. */
  readonly overrides: ReadonlyMap<Node, FactorRule>;
  /**
   * Norms that the walk reached so far, filled as the rules are applied; several entries for a norm of heads.
   */
  readonly visits: readonly NormVisit[];
}

/**
 * Creates rules that let a mixture through norms, as for orthogonal matrices the length of a vector is the
 * same before and after: the normalised vector is mixed by the matrix that mixes the input. The gain counts
 * as 1.
 */
export function normRules(norms: readonly Norm[]): NormRules {
  const visits: NormVisit[] = [];
  const overrides = new Map<Node, FactorRule>();
  for (const norm of norms) {
    let isFollowed = false;
    const enter = (context: FactorContext, x: Labelled): boolean => {
      const rows = rowsAlongLast(x, context.algebra);
      const isOfHeads = rows !== undefined && rows.length > 1;
      for (const factors of rows ?? [undefined]) visits.push({ norm, factors, isOfHeads });
      isFollowed = rows !== undefined;
      return isFollowed;
    };
    norm.nodes.forEach((node, i) => {
      overrides.set(node, (context) => {
        const values = new Map(node.inputs.map((name, k) => [name, context.inputs[k]]));
        const input = values.get(norm.input);
        if (i === 0 && (input === undefined || !enter(context, input))) return undefined;
        if (!isFollowed) return undefined;
        return [normResult(context, norm, values)];
      });
    });
  }
  return { overrides, visits };
}

/**
 * Follows one node of a norm: the factors of the input pass to the value less its mean, to the normalised
 * value and to the result; squares, means and roots do not change.
 */
function normResult(
  context: FactorContext,
  norm: Norm,
  values: ReadonlyMap<string, Labelled | undefined>,
): Labelled {
  const shape = outputShape(context);
  const [result = ""] = context.node.outputs;
  const last = norm.nodes.at(-1)?.outputs[0];
  if (result === last || result === norm.plain || result === norm.centredInput) {
    const names = [norm.plain, norm.centredInput, norm.input];
    const from = names.find((name) => name !== undefined && values.has(name));
    const fields = (from === undefined ? undefined : values.get(from))?.fields ?? [];
    const mixed = { shape, fields };
    const offset = norm.offset === undefined ? undefined : values.get(norm.offset);
    return offset === undefined ? mixed : context.algebra.add([mixed, offset], shape);
  }
  return { shape, fields: [] };
}

/** Returns the factors along the last axis, if they are units of one cell and lie on no other axis. */
export function factorsAlongLast(x: Labelled, algebra: FactorAlgebra): Int32Array | undefined {
  const [only, ...others] = rowsAlongLast(x, algebra) ?? [];
  return others.length === 0 ? only : undefined;
}

/**
 * Returns the factors along the last axis, a row for each place along other axes that the units lie on, if
 * each row is of units of one cell.
 */
function rowsAlongLast({ shape, fields }: Labelled, algebra: FactorAlgebra): Int32Array[] | undefined {
  const last = shape.length - 1;
  const touching = fields.filter(({ axes }: Field) => axes.includes(last));
  const [field] = touching;
  if (field === undefined || touching.length > 1) return undefined;
  const extent = extentOf({ shape }, last);
  const rows = Array.from({ length: field.data.length / extent }, (_, row) =>
    field.data.subarray(row * extent, (row + 1) * extent),
  );
  const isOfOneCell = (row: Int32Array): boolean => {
    const cells = new Set(Array.from(row, (factor) => algebra.cellOf(factor)));
    return cells.size === 1 && !cells.has(-1);
  };
  return rows.every(isOfOneCell) ? rows : undefined;
}
