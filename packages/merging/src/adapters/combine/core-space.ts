import { at, createCheckpoint, createTensor, MismatchError, sumOf, toFloat32 } from "@isthmus/core";
import { createMatrix, type Matrix, transposeMatrix } from "@isthmus/linear-algebra";
import { multiplyBy } from "../../matrices/kernels/traces.ts";
import { merge } from "../../merge.ts";
import type { MergeMethod } from "../../merge-method.ts";
import type { GivenParameters, ParameterSpecs } from "../../parameters.ts";
import type { Combination } from "./combination.ts";
import { coreOf, shareSpace } from "./shared-space.ts";

/** A merge method, with the values of its parameters, that is applied in core space. */
export interface CoreRule {
  /** Merge method that is applied to the factors in core space. */
  readonly method: MergeMethod;
  /** Values of the method's parameters. @defaultValue the defaults of the method */
  readonly parameters?: GivenParameters<ParameterSpecs>;
  /** Seed of methods that draw random numbers. @defaultValue 0 */
  readonly seed?: number;
}

/**
 * Merges changes by any merge method in the small space that all adapters share, and maps the result back. No
 * part of any change is lost. The result has the sum of the adapters' ranks.
 *
 * With bases `U` of all `B` and `V` of all `A` side by side, a change is `U M V^T` with a small matrix `M`;
 * the method merges these matrices like weights, with a base of zeros.
 *
 * Source: Panariello et al., Accurate and efficient low-rank model merging in core space, 2025, section 4.
 * Bases are computed by `shareSpace`, not as the singular vectors of the paper; methods that treat elements
 * one by one, such as TIES, depend on that choice.
 *
 * @param positions - positions of the adapters that change the module, among all merged adapters
 */
export function coreCombination(rule: CoreRule, positions: readonly number[]): Combination {
  const { method, seed = 0 } = rule;
  const parameters = parametersOf(rule, positions);
  return {
    rankOf(ranks, extents, module) {
      assertCount(method, ranks.length, module);
      const sum = sumOf(ranks);
      return Math.min(sum, extents.out, extents.in);
    },
    async combine({ factors, scales, products, name }) {
      const bases = await shareSpace(factors, products);
      const cores: Matrix[] = [];
      for (const [i, change] of factors.entries()) {
        const core = await coreOf(bases, change, products);
        multiplyBy(core.data, at(scales, i, "adapter"));
        cores.push(core);
      }
      const toNetwork = ({ rows, columns, data }: Matrix) =>
        createCheckpoint({ [name]: createTensor("f32", [rows, columns], Float32Array.from(data)) }, {}, name);
      const zeros = toNetwork({ ...at(cores, 0, "core"), data: at(cores, 0, "core").data.slice().fill(0) });
      const base = method.networks.base === "required" ? { base: zeros } : {};
      const merged = merge(cores.map(toNetwork), { method, parameters, seed, products, ...base });
      const { data, dtype } = await merged.read(name);
      const core = createMatrix(bases.left.columns, bases.right.columns, toFloat32(data, dtype));
      // The core is multiplied into the side with more directions: the rank is the number of the others.
      return core.rows < core.columns
        ? { left: bases.left, right: await products.multiply(core, bases.right, { transposeRight: true }) }
        : { left: await products.multiply(bases.left, core), right: transposeMatrix(bases.right) };
    },
  };
}

/** Returns the parameters for the adapters at given positions; values for each adapter are filtered. */
function parametersOf(
  { method, parameters = {} }: CoreRule,
  positions: readonly number[],
): GivenParameters<ParameterSpecs> {
  const chosen = Object.entries(parameters).map(([name, value]) => {
    const isOfEach = Array.isArray(value) && method.parameters[name]?.of === "network";
    return [name, isOfEach ? value.filter((_, i) => positions.includes(i)) : value] as const;
  });
  return Object.fromEntries(chosen) as GivenParameters<ParameterSpecs>;
}

/** @throws MismatchError if a method cannot merge as many changes as a module has */
function assertCount(
  { name, networks: { least, most = Infinity } }: MergeMethod,
  count: number,
  module: string,
) {
  if (count >= least && count <= most) return;
  throw new MismatchError(
    `Cannot merge adapters in core space by ${name} as it merges ${least === most ? least : `at least ${least}`} changes of a module: ${count} of the adapters change "${module}"`,
    { parameters: [module] },
  );
}
