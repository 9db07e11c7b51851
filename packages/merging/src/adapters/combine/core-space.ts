import { at, createCheckpoint, createTensor, toFloat32 } from "@isthmus/core";
import { createMatrix, joinColumns, type Matrix, transpose } from "@isthmus/linear-algebra";
import { multiplyBy } from "../../matrices/kernels/traces.ts";
import { merge } from "../../merge.ts";
import type { MergeMethod } from "../../merge-method.ts";
import type { GivenParameters, ParameterSpecs } from "../../parameters.ts";
import { basisOf } from "./basis-of.ts";
import type { Combination } from "./combination.ts";

/** A merge method, with the values of its parameters, that is applied in core space. */
export interface CoreRule {
  readonly method: MergeMethod;
  /** @defaultValue the defaults of the method */
  readonly parameters?: GivenParameters<ParameterSpecs>;
  /** Seed of methods that draw random numbers. @defaultValue 0 */
  readonly seed?: number;
}

/**
 * Merges changes by any merge method in the small space that all adapters share, and maps the result back:
 * this loses nothing of any change. The result has the sum of the adapters' ranks.
 *
 * With bases `U` of all `B` and `V` of all `A` side by side, a change is `U M V^T` with a small matrix `M`;
 * the method merges these matrices as it would merge weights, with a base of zeros.
 *
 * Source: Panariello et al., Accurate and efficient low-rank model merging in core space, 2025, section 4. We
 * use orthonormal bases by Cholesky factors where the authors use singular vectors; methods that treat
 * elements one by one, such as TIES, depend on that choice.
 */
export function coreCombination({ method, parameters = {}, seed = 0 }: CoreRule): Combination {
  return {
    rankOf: (ranks, extents) =>
      Math.min(
        ranks.reduce((total, rank) => total + rank, 0),
        extents.out,
        extents.in,
      ),
    async combine({ factors, scales, products, name }) {
      const [first, ...others] = factors;
      const ofLeft = joinColumns([first.left, ...others.map(({ left }) => left)]);
      const ofRight = joinColumns([transpose(first.right), ...others.map(({ right }) => transpose(right))]);
      const bases = { left: await basisOf(ofLeft, products), right: await basisOf(ofRight, products) };
      const cores: Matrix[] = [];
      for (const [i, { left, right }] of factors.entries()) {
        const core = await products.multiply(
          await products.multiply(bases.left, left, { transposeLeft: true }),
          await products.multiply(right, bases.right),
        );
        multiplyBy(core.data, at(scales, i, "adapter"));
        cores.push(core);
      }
      const toNetwork = ({ rows, columns, data }: Matrix) =>
        createCheckpoint({ core: createTensor("f32", [rows, columns], Float32Array.from(data)) }, {}, name);
      const zeros = toNetwork({ ...at(cores, 0, "core"), data: at(cores, 0, "core").data.slice().fill(0) });
      const base = method.networks.base === "required" ? { base: zeros } : {};
      const merged = merge(cores.map(toNetwork), { method, parameters, seed, products, ...base });
      const { data, dtype } = await merged.read("core");
      const core = createMatrix(bases.left.columns, bases.right.columns, toFloat32(data, dtype));
      // The core is multiplied into the side with more directions: the rank is the number of the others.
      return core.rows < core.columns
        ? { left: bases.left, right: await products.multiply(core, bases.right, { transposeRight: true }) }
        : { left: await products.multiply(bases.left, core), right: transpose(bases.right) };
    },
  };
}
