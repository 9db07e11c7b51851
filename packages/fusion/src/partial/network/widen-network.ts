import {
  allocateData,
  asFloat32,
  type Checkpoint,
  DTYPES,
  defineCheckpoint,
  entry,
  fromFloat32Into,
  sizeOf,
  type TensorData,
} from "@isthmus/core";
import { type AxisUse, findAxisUses } from "@isthmus/symmetry/layout";
import type { WidePlan } from "../graph/wide-plan.ts";
import { combineInto } from "../kernels/combine.ts";
import { planRuns } from "./combined-runs.ts";

/**
 * Makes the wide network from two networks, lazily; every weight is combined by {@link planRuns}.
 * @param networks - A, and B in the coordinates of A
 */
export function widenNetwork(
  { graph: wide, separable, widening }: WidePlan,
  [a, b]: readonly [Checkpoint, Checkpoint],
): Checkpoint {
  const uses = findAxisUses(separable.probed.graph);
  let latest: { readonly name: string; readonly data: Promise<TensorData> } | undefined;
  const make = async (name: string): Promise<TensorData> => {
    const { dtype, shape } = entry(wide.weights, name, "weight");
    const inA = await a.read(name);
    if (!DTYPES[dtype].float) return inA.data;
    const inB = await b.read(name);
    const view = separable.layouts.weights.get(name)?.shape ?? inA.shape;
    const runs = planRuns({
      view,
      plans: widening.weights.get(name) ?? new Map(),
      contracted: contractedInView(view, inA.shape, entry(uses, name, "weight")),
    });
    const sum = new Float32Array(sizeOf(shape));
    combineInto(asFloat32(inA.data, inA.dtype), asFloat32(inB.data, inB.dtype), runs, sum);
    const data = allocateData(dtype, sum.length);
    fromFloat32Into(sum, dtype, data);
    return data;
  };
  return defineCheckpoint({
    source: `${a.source} and ${b.source}, merged in part`,
    tensors: wide.weights,
    metadata: a.metadata,
    inputs: [a, b],
    async readInto(name, begin, out) {
      if (latest?.name !== name) latest = { name, data: make(name) };
      const data = await latest.data;
      out.set(data.subarray(begin, begin + out.length) as never);
    },
  });
}

/** Converts axes of a shape to axes of a view, which splits the first axis of grouped kernels in two. */
function contractedInView(
  view: readonly number[],
  shape: readonly number[],
  { contracted }: AxisUse,
): ReadonlySet<number> {
  if (view.length === shape.length) return contracted;
  return new Set([...contracted].map((axis) => axis + 1));
}
