import { at, InvariantError } from "@isthmus/core";
import { createMatrix, type Matrix } from "@isthmus/linear-algebra";
import type { UnitFamily } from "./correspond.ts";
import { meanOfColumns, sharesOfRows } from "./kernels/plan-sums.ts";

/** Matrices by which the weights of a family of units are transported from one network to the other. */
export interface UnitTransport {
  /**
   * Matrix for weights that compute units, `[source units, target units]`, whose columns sum to 1: a unit of
   * the target is a mean of units of the source.
   */
  readonly means: Matrix;
  /**
   * Matrix for weights that sum over units, `[source units, target units]`, whose rows sum to 1: the outgoing
   * weights of a unit of the source are shared out to the units that replace it.
   */
  readonly shares: Matrix;
}

/** Transports of families of units between two networks. */
export interface UnitTransports {
  /** Returns the transport of a family; undefined while a plan on which it depends is missing. */
  transportOf(family: number): UnitTransport | undefined;
}

/**
 * Plans of the symmetries that were found so far, and the transports of all families that follow from them.
 */
export class UnitPlans implements UnitTransports {
  readonly #families: readonly UnitFamily[];
  readonly #plans: (Float64Array | undefined)[];
  readonly #transports = new Map<number, UnitTransport>();

  constructor(families: readonly UnitFamily[], plans: readonly (Float64Array | undefined)[] = []) {
    this.#families = families;
    this.#plans = families.map((_, index) => plans[index]);
  }

  /** Plan of a symmetry, `[source units, target units]`, which sums to 1; undefined before it is set. */
  planOf(symmetry: number): Float64Array | undefined {
    return this.#plans[symmetry];
  }

  /** Sets the plan of a symmetry. */
  place(symmetry: number, plan: Float64Array): void {
    this.#plans[symmetry] = plan;
    this.#transports.clear();
  }

  /** Copies the current plans. */
  copy(): UnitPlans {
    return new UnitPlans(this.#families, this.#plans);
  }

  /** Returns the transport of a family; undefined while a plan on which it depends is missing. */
  transportOf(family: number): UnitTransport | undefined {
    const transport =
      this.#transports.get(family) ?? this.#createTransport(at(this.#families, family, "family"));
    if (transport !== undefined) this.#transports.set(family, transport);
    return transport;
  }

  #createTransport(family: UnitFamily): UnitTransport | undefined {
    const { symmetry, source, target } = family;
    if (symmetry === undefined) return followParents(family, this.#families, this);
    const plan = this.#plans[symmetry];
    if (plan === undefined) return undefined;
    return {
      means: createMatrix(source.count, target.count, meanOfColumns(plan, target.count)),
      shares: createMatrix(source.count, target.count, sharesOfRows(plan, target.count)),
    };
  }
}

/**
 * Returns the transport of followers: that of their parents, or the element-wise product for several parents;
 * undefined while a parent has none.
 */
export function followParents(
  { name, above, source, target }: UnitFamily,
  families: readonly UnitFamily[],
  transports: UnitTransports,
): UnitTransport | undefined {
  const parents = above.map((index) => ({
    transport: transports.transportOf(index),
    family: at(families, index, "family"),
  }));
  const factors: { means: Float64Array; shares: Float64Array }[] = [];
  for (const [place, { transport, family }] of parents.entries()) {
    if (transport === undefined) return undefined;
    const rows = source.parents.map((list) => at(list, place, "parent") - family.source.firstUnit);
    const columns = target.parents.map((list) => at(list, place, "parent") - family.target.firstUnit);
    factors.push({
      means: select(transport.means, rows, columns),
      shares: select(transport.shares, rows, columns),
    });
  }
  const [first, ...others] = factors;
  if (first === undefined) throw new InvariantError(`No parents of ${name}; please report this`);
  for (const { means, shares } of others) {
    for (let k = 0; k < means.length; k++) {
      first.means[k] = at(first.means, k, "element") * at(means, k, "element");
      first.shares[k] = at(first.shares, k, "element") * at(shares, k, "element");
    }
  }
  return {
    means: createMatrix(source.count, target.count, first.means),
    shares: createMatrix(source.count, target.count, first.shares),
  };
}

function select(
  { data, columns: width }: Matrix,
  rows: readonly number[],
  columns: readonly number[],
): Float64Array {
  const out = new Float64Array(rows.length * columns.length);
  let k = 0;
  for (const row of rows) for (const column of columns) out[k++] = at(data, row * width + column, "element");
  return out;
}
