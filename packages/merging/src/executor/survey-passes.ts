import {
  allocateData,
  type Checkpoint,
  DTYPES,
  defineCheckpoint,
  fromFloat64Into,
  sizeOf,
  type TensorInfo,
} from "@isthmus/core";
import { plainProducts } from "@isthmus/linear-algebra";
import type { MergedTensor, MergeMethod } from "../merge-method.ts";
import type { MergePlan, PlannedTensor } from "../merge-plan.ts";

/** Largest extent of the tensors on which surveys are tried. */
const TRIED_EXTENT = 24;

/** Returns how often the survey of a tensor reads all sources of the tensor. */
export type CountPasses = (tensor: PlannedTensor) => Promise<number>;

/**
 * Creates a function that finds out how often a survey reads the networks, by running it on a small tensor of
 * made-up numbers, whose reads are counted. Each method is tried once for each number of axes, number of
 * networks and choice of parameters.
 *
 * The number is an estimate: it is wrong for a survey that fails on the small tensor, or whose number of
 * reads depends on the size.
 */
export function createPassCounter(plan: Pick<MergePlan, "seed" | "products">): CountPasses {
  const counts = new Map<MergeMethod, Map<string, Promise<number>>>();
  return async (planned) => {
    const { method, info, sources, parameters } = planned;
    if (method?.survey === undefined || !DTYPES[info.dtype].float) return 0;
    // Statistics cannot be made up for a trial; surveys with statistics read everything once.
    if (planned.measured !== undefined) return 1;
    const key = JSON.stringify([info.shape.length, sources.length, planned.base !== undefined, parameters]);
    const tried = counts.get(method) ?? new Map<string, Promise<number>>();
    counts.set(method, tried);
    const passes = tried.get(key) ?? tryOut(planned, method, plan);
    tried.set(key, passes);
    return passes;
  };
}

async function tryOut(
  { info: { dtype, shape }, sources, base, parameters }: PlannedTensor,
  method: MergeMethod,
  { seed, products = plainProducts }: Pick<MergePlan, "seed" | "products">,
): Promise<number> {
  const info = { dtype, shape: shape.map((extent) => Math.min(extent, TRIED_EXTENT)) };
  let elements = 0;
  const create = (place: number): Checkpoint =>
    createMadeUp(info, place, (count) => {
      elements += count;
    });
  const [first, ...others] = sources;
  const networks = [create(0), ...others.map((_, i) => create(i + 1))] as const;
  const tensor: MergedTensor = {
    name: NAME,
    info,
    networks,
    parameters,
    seed,
    products,
    base: base && create(sources.length),
    measured: undefined,
  };
  // One network may be read in full and others not at all, so that the sum decides.
  const once = sizeOf(info.shape) * (sources.length + (base === undefined ? 0 : 1));
  try {
    await method.survey?.(tensor);
  } catch {
    return Math.max(1, Math.ceil(elements / once));
  }
  return first === undefined || once === 0 ? 0 : elements / once;
}

const NAME = "tried";

function createMadeUp(info: TensorInfo, place: number, onRead: (elements: number) => void): Checkpoint {
  const size = sizeOf(info.shape);
  const numbers = Float64Array.from({ length: size }, (_, i) => Math.sin(1 + i * 1.7 + place * 0.9));
  const stored = fromFloat64Into(numbers, info.dtype, allocateData(info.dtype, size));
  return defineCheckpoint({
    source: `made-up network ${place}`,
    tensors: new Map([[NAME, info]]),
    async readInto(_, begin, out) {
      onRead(out.length);
      out.set(stored.subarray(begin, begin + out.length) as never);
    },
  });
}
