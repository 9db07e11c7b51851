import { at } from "@isthmus/core";
import type { DiagonalSymmetry, SymmetrySpec } from "@isthmus/symmetry";
import { settledSymmetries } from "../closed-form/head-families.ts";
import type { StreamFrame } from "../stream-frame.ts";
import {
  countPlaces,
  type MovableUnits,
  movesAlone,
  rowsOfUnits,
  type UnitRows,
  variablesAt,
} from "../unit-rows.ts";

/**
 * Finds the symmetries whose units may be permuted again while spaces are learned: plain ones that are
 * neither mixed nor carry mixed cells, such as the hidden units of an MLP.
 */
export function findMovableUnits(spec: SymmetrySpec, frame: StreamFrame): MovableUnits[] {
  const settled = settledSymmetries(spec, frame);
  const isAlone = movesAlone(spec);
  const { signs, scales } = frame.units;
  const [signsOf, scalesOf] = [variablesOf(signs), variablesOf(scales)];
  return spec.symmetries.flatMap((symmetry): MovableUnits[] => {
    if (settled.has(symmetry.name) || !isAlone(symmetry)) return [];
    const rows = rowsOfUnits(spec, symmetry);
    const [ofSigns, ofScales] = [signsOf(rows), scalesOf(rows)];
    if (ofSigns === undefined || ofScales === undefined) return [];
    return [{ symmetry, rows, signs: ofSigns, scales: ofScales }];
  });
}

/** Creates a function that lists the variables of units; undefined if other units have some of them, too. */
function variablesOf(
  symmetry: DiagonalSymmetry,
): (rows: readonly UnitRows[]) => readonly Int32Array[] | undefined {
  const places = countPlaces(symmetry);
  return (rows) => {
    const lists = new Map<string, { readonly variables: Int32Array; count: number }>();
    for (const row of rows) {
      const variables = variablesAt(symmetry, row);
      if (variables === undefined) continue;
      const list = lists.get(variables.join()) ?? { variables, count: 0 };
      list.count++;
      lists.set(variables.join(), list);
    }
    const areOwn = [...lists.values()].every(({ variables, count }) =>
      variables.every((variable) => at(places, variable, "variable") === count),
    );
    return areOwn ? [...lists.values()].map(({ variables }) => variables) : undefined;
  };
}
