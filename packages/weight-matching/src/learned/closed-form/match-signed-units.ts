import { at, entry } from "@isthmus/core";
import { multiply } from "@isthmus/linear-algebra";
import {
  type Alignment,
  type DiagonalSymmetry,
  identityAlignment,
  type Symmetry,
  type SymmetrySpec,
} from "@isthmus/symmetry";
import { completeFollowers } from "@isthmus/symmetry/layout";
import type { Doubles } from "../stream-frame.ts";
import {
  countPlaces,
  moveRowsInPlace,
  movesAlone,
  rowsOfUnits,
  type UnitRows,
  variablesAt,
} from "../unit-rows.ts";
import { bestAssignment } from "./head-families.ts";
import { rowsOf } from "./weight-grams.ts";

/**
 * Weights of the units of a symmetry that one sign variable of each unit multiplies; no variable does if
 * signs stay.
 */
interface SignedRows {
  readonly rows: readonly UnitRows[];
  /** The variable of each unit, or undefined if the weights keep their signs. */
  readonly variables: Int32Array | undefined;
}

/** A plain symmetry whose units may change their signs. */
export interface SignedUnits {
  /** Symmetry that the units belong to. */
  readonly symmetry: Symmetry;
  /** Weights of the units, grouped by the sign variables that multiply them. */
  readonly parts: readonly SignedRows[];
}

/**
 * Finds the plain symmetries whose units may change their signs, in whole or in part of their weights, and
 * that no other unit moves with.
 */
export function findSignedUnits(spec: SymmetrySpec, signs: DiagonalSymmetry): SignedUnits[] {
  const isAlone = movesAlone(spec);
  const places = countPlaces(signs);
  return spec.symmetries.flatMap((symmetry): SignedUnits[] => {
    if (!isAlone(symmetry)) return [];
    const byVariables = new Map<string, SignedRows>();
    for (const { weight, occurrence } of rowsOfUnits(spec, symmetry)) {
      const variables = variablesAt(signs, { weight, occurrence });
      const key = variables?.join() ?? "";
      const rows = [...(byVariables.get(key)?.rows ?? []), { weight, occurrence }];
      byVariables.set(key, { rows, variables });
    }
    // A variable that other units have, too, cannot be chosen by these.
    const parts = [...byVariables.values()].map(({ rows, variables }) =>
      variables?.every((variable) => places[variable] === rows.length)
        ? { rows, variables }
        : { rows, variables: undefined },
    );
    return parts.some(({ variables }) => variables !== undefined) ? [{ symmetry, parts }] : [];
  });
}

/** Result of {@link matchSignedUnits}: B is permuted first, then its signs are changed. */
export interface SignedMatch {
  /** Permutation of B's units, with all that follow them. */
  readonly alignment: Alignment;
  /** 1 or -1 for each variable. */
  readonly signs: Float64Array;
}

/** Sweeps over all symmetries after which the search ends. */
const MAX_SWEEPS = 50;

/**
 * Matches units whose signs are free together with their signs: symmetry by symmetry, each solved exactly
 * while the others stay, until nothing changes. A unit gains from another the inner product of the weights
 * that keep their signs, and for each sign the absolute inner product of the weights that it multiplies.
 *
 * @param b - B; not changed
 */
export function matchSignedUnits(
  spec: SymmetrySpec,
  units: readonly SignedUnits[],
  [a, b]: readonly [Doubles, Doubles],
  variables: number,
): SignedMatch {
  const source = identityAlignment(spec).source.slice();
  const signs = new Float64Array(variables).fill(1);
  const moved: Doubles = new Map(b);
  for (const { parts } of units) {
    for (const { weight } of parts.flatMap(({ rows }) => rows))
      moved.set(weight, entry(b, weight, "weight").slice());
  }
  for (let sweep = 0; sweep < MAX_SWEEPS; sweep++) {
    let hasChanged = false;
    for (const unit of units) hasChanged = matchInPlace(unit, [a, moved], { source, signs }) || hasChanged;
    if (!hasChanged) break;
  }
  return { alignment: completeFollowers(spec, source), signs };
}

/** Matches the units of one symmetry and moves them; returns whether any moved. */
function matchInPlace(
  { symmetry: { size, firstUnit }, parts }: SignedUnits,
  networks: readonly [Doubles, Doubles],
  { source, signs }: { readonly source: Int32Array; readonly signs: Float64Array },
): boolean {
  const grams = parts.map(({ rows }) => gramOf(rows, networks, size));
  const gains = new Float32Array(size * size);
  grams.forEach((gram, part) => {
    const keeps = at(parts, part, "part").variables === undefined;
    gram.forEach((value, i) => {
      gains[i] = (gains[i] as number) + (keeps ? value : Math.abs(value));
    });
  });
  const from = bestAssignment(gains, size);
  const before = source.slice(firstUnit, firstUnit + size);
  let hasChanged = from.some((taken, unit) => taken !== unit);
  from.forEach((taken, unit) => {
    source[firstUnit + unit] = at(before, taken, "unit");
  });
  parts.forEach(({ rows, variables }, part) => {
    const gram = at(grams, part, "part");
    const turns = Float64Array.from(from, (taken, unit) =>
      variables !== undefined && (gram[unit * size + taken] as number) < 0 ? -1 : 1,
    );
    hasChanged ||= turns.includes(-1);
    for (const { weight, occurrence } of rows)
      moveRowsInPlace(entry(networks[1], weight, "weight"), occurrence, from, turns);
    if (variables === undefined) return;
    const old = variables.map((variable) => at(signs, variable, "variable"));
    variables.forEach((variable, unit) => {
      signs[variable] = at(old, at(from, unit, "unit"), "unit") * at(turns, unit, "unit");
    });
  });
  return hasChanged;
}

function gramOf(rows: SignedRows["rows"], [a, b]: readonly [Doubles, Doubles], size: number): Float64Array {
  const sum = new Float64Array(size * size);
  for (const { weight, occurrence } of rows) {
    const [left, right] = [a, b].map((network) => rowsOf(entry(network, weight, "weight"), occurrence));
    const { data } = multiply(left as never, right as never, { transposeRight: true });
    for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) + (data[i] as number);
  }
  return sum;
}
