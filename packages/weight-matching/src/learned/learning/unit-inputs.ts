import { at, createTensor, entry, sizeOf, type Tensor } from "@isthmus/core";
import type { GraphBuilder, Value } from "@isthmus/graph/builder";
import type { Mixture } from "@isthmus/symmetry";
import {
  type ChangedWeight,
  type MixingFactor,
  type MultipliedRows,
  pickRows,
  type RowGroup,
} from "./changed-weights.ts";

/** Permutations, mixtures and factors of a network's units. */
export interface MixedUnits {
  /** Matrix of each space, and its inverse. */
  readonly mixture: Mixture;
  /** A factor for each scale variable. */
  readonly scales: Float64Array;
  /** Unit of the placed network that goes to each place, for each movable symmetry. */
  readonly places: readonly Int32Array[];
}

/** The matrices and factors that change weights, as inputs of a graph. */
export interface UnitInputs {
  /** Returns the matrices of a group, `[factors, size, size]`. */
  matricesOf(group: RowGroup): Value;
  /** Returns the factors of rows, to be broadcast to the view. */
  factorsOf(rows: MultipliedRows): Value;
  /** Tensors to be fed, by input. */
  readonly feeds: ReadonlyMap<string, Tensor>;
  /** Writes the matrices and factors of mixed units into the tensors of `feeds`. */
  fill(units: MixedUnits): void;
}

/**
 * Adds inputs to a graph for all matrices and factors that change weights.
 * @param prefix - beginning of the names of the inputs, another for each network
 */
export function addUnitInputs(
  builder: GraphBuilder,
  weights: readonly ChangedWeight[],
  prefix: string = "",
): UnitInputs {
  const feeds = new Map<string, Tensor>();
  const input = (what: string, shape: readonly number[]) => {
    const name = prefix + what;
    const data = new Float32Array(sizeOf(shape));
    const value = builder.input(name, { dtype: "f32", shape });
    feeds.set(name, createTensor("f32", shape, data));
    return { value, data };
  };
  const groups = weights.flatMap(({ mixed }) => mixed.flatMap((rows) => rows.groups));
  const stacks = new Map(
    [...factorsBySize(groups)].map(([size, factors]) => {
      const { value, data } = input(`matrices ${size}`, [factors.size, size, size]);
      const places = new Map([...factors.keys()].map((key, place) => [key, place]));
      return [size, { value, data, factors, places }];
    }),
  );
  const vectors = new Map(
    weights.flatMap(({ name, multiplied }) =>
      multiplied.map(
        (rows, index) => [rows, input(`factors ${name} ${index}`, broadcastShape(rows))] as const,
      ),
    ),
  );
  return {
    feeds,
    matricesOf({ size, factors }) {
      const { value, places } = entry(stacks, size, "size");
      return pickRows(
        value,
        factors.map((factor) => entry(places, keyOf(factor), "factor")),
      );
    },
    factorsOf: (rows) => entry(vectors, rows, "rows").value,
    fill({ mixture: { matrices, inverses }, scales }) {
      for (const [size, { data, factors }] of stacks) {
        [...factors.values()].forEach(({ space, isInverse }, place) => {
          data.set(at(isInverse ? inverses : matrices, space, "matrix"), place * size * size);
        });
      }
      for (const [{ variables }, { data }] of vectors) {
        variables.forEach((variable, row) => {
          const scale = variable === 0 ? 1 : at(scales, Math.abs(variable) - 1, "variable");
          data[row] = variable < 0 ? 1 / scale : scale;
        });
      }
    },
  };
}

/** Lists each factor once, by the size of its matrix. */
function factorsBySize(groups: readonly RowGroup[]): Map<number, Map<string, MixingFactor>> {
  const bySize = new Map<number, Map<string, MixingFactor>>();
  for (const { size, factors } of groups) {
    const ofSize = bySize.get(size) ?? new Map<string, MixingFactor>();
    bySize.set(size, ofSize);
    for (const factor of factors) ofSize.set(keyOf(factor), factor);
  }
  return bySize;
}

const keyOf = ({ space, isInverse }: MixingFactor): string => `${space} ${isInverse}`;

/** Returns the shape of a view in which the axes along a row have extent 1. */
function broadcastShape({ view, axes }: MultipliedRows): number[] {
  return view.map((extent, axis) => (axes.includes(axis) ? extent : 1));
}
