import {
  at,
  type Checkpoint,
  composeCheckpoint,
  convertInto,
  DTYPES,
  defineCheckpoint,
  type Elements,
  entry,
  InvariantError,
  type TensorInfo,
} from "@isthmus/core";
import { type TensorRange, withRanges } from "@isthmus/interpolation";
import { type MatrixProducts, plainProducts } from "@isthmus/linear-algebra";
import type { MergedTensor, MergeMethod } from "./merge-method.ts";
import type { TensorParameters } from "./parameters.ts";

/** A tensor of one of the networks of a plan. */
export interface PlannedSource {
  /** Position of the network in the plan. */
  readonly network: number;
  /** Name of the tensor in that network, which may differ from its name in the result. */
  readonly tensor: string;
}

/** One tensor of a merge: its form in the result, the tensors from which it is made, and the rule. */
export interface PlannedTensor {
  /** Element type and shape in the result. */
  readonly info: TensorInfo;
  /** Rule of the merge; undefined if the tensor is copied from its only source. */
  readonly method: MergeMethod | undefined;
  /** Tensors that are merged, all of the shape of the result, at least one. */
  readonly sources: readonly [PlannedSource, ...PlannedSource[]];
  /** Tensor of the base, for methods with a base. */
  readonly base?: PlannedSource | undefined;
  /**
   * Statistics of each source, in the order of `sources`, for methods that need them; undefined if there are
   * none.
   */
  readonly measured?: readonly PlannedSource[] | undefined;
  /** Checked values of the method's parameters for this tensor, networks in the order of `sources`. */
  readonly parameters: TensorParameters<MergeMethod["parameters"]>;
  /** Explanation of how the tensor is made, in one line, for messages. */
  readonly reason: string;
}

/** A merge, tensor by tensor, before anything is computed. */
export interface MergePlan {
  /** Description of the result, for messages. */
  readonly source: string;
  /** Networks and files of statistics that the tensors are read from, by position. */
  readonly networks: readonly [Checkpoint, ...Checkpoint[]];
  /** Tensors by their names in the result, in the order of the result. */
  readonly tensors: ReadonlyMap<string, PlannedTensor>;
  /** Strings to store beside the tensors. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Seed of methods that draw random numbers, a whole number of at least 0. */
  readonly seed: number;
  /**
   * Multiplier of matrices, for methods that need one; `createProducts(engine)` is several times faster.
   * @defaultValue `plainProducts`
   */
  readonly products?: MatrixProducts | undefined;
}

/**
 * Makes the checkpoint that a plan describes, lazily: nothing is computed before it is read, and then range
 * by range.
 *
 * Integer tensors, such as counters, are never blended: they are copied from the source that the method
 * names.
 */
export function mergeByPlan(plan: MergePlan): Checkpoint {
  const { source, networks, tensors, metadata } = plan;
  const jobs = new Map<string, TensorJob>();
  const jobOf = (name: string): TensorJob => {
    const job = jobs.get(name) ?? createJob(name, entry(tensors, name, "tensor"), plan);
    jobs.set(name, job);
    return job;
  };
  const surveys = createSurveys();
  return defineCheckpoint({
    source,
    tensors: new Map([...tensors].map(([name, { info }]) => [name, info])),
    metadata,
    inputs: networks,
    async readInto(name, begin, data) {
      const { tensor, method, copied } = jobOf(name);
      const out: Elements = { dtype: tensor.info.dtype, data };
      const range = { name, begin, length: data.length };
      if (method === undefined || copied !== undefined) {
        await withRanges([copied ?? tensor.networks[0]], range, ([part]) => {
          if (part !== undefined) convertInto(part, out);
        });
        return;
      }
      const survey = await surveys.of(tensor, method);
      await blendPieces(tensor, method, { name, begin, survey }, out);
    },
  });
}

/**
 * Number of bytes of all networks that are held at a time, less than half of the memory in which kernels work
 * directly.
 */
const HELD_BYTES = 12 * 2 ** 20;

/** Least number of bytes of one network that are worth a separate read. */
const LEAST_BYTES = 2 ** 14;

/**
 * Blends a range in pieces, which are smaller for more networks, so that any number of networks can be
 * merged.
 */
async function blendPieces(
  tensor: MergedTensor,
  method: MergeMethod,
  { name, begin, survey }: TensorRange & { readonly survey: unknown },
  { dtype, data }: Elements,
): Promise<void> {
  const { networks, base, parameters } = tensor;
  const positions = method.networksRead?.(parameters, networks.length) ?? networks.map((_, i) => i);
  const used = positions.map((i) => at(networks, i, "network"));
  const all = base === undefined ? used : [...used, base];
  const widest = Math.max(...all.map(({ tensors }) => DTYPES[entry(tensors, name, "tensor").dtype].bytes));
  const length = Math.max(HELD_BYTES / all.length, LEAST_BYTES) / widest;
  // Whole groups of elements, which kernels process at once.
  const size = Math.floor(length / 64) * 64;
  for (let done = 0; done < data.length; done += size) {
    const out: Elements = { dtype, data: data.subarray(done, done + size) };
    const piece = { name, begin: begin + done, length: out.data.length };
    await withRanges(all, piece, (ranges) => {
      const [first] = ranges;
      if (first === undefined) return;
      const parts: Elements[] = networks.map(() => first);
      for (const [k, i] of positions.entries()) parts[i] = at(ranges, k, "range");
      return method.blendInto({ tensor, begin: piece.begin, parts, base: ranges[used.length], survey }, out);
    });
  }
}

/** Inputs for making one tensor. */
interface TensorJob {
  readonly tensor: MergedTensor;
  readonly method: MergeMethod | undefined;
  /** Network from which an integer tensor is copied; undefined for other tensors. */
  readonly copied: Checkpoint | undefined;
}

function createJob(
  name: string,
  { info, method, sources, base, measured, parameters }: PlannedTensor,
  { networks, seed, products = plainProducts }: MergePlan,
): TensorJob {
  const viewOf = ({ network, tensor }: PlannedSource) => renamed(networks[network], tensor, name);
  const [first, ...others] = sources;
  const views = [viewOf(first), ...others.map(viewOf)] as const;
  const tensor: MergedTensor = {
    name,
    info,
    parameters,
    seed,
    products,
    networks: views,
    base: base && viewOf(base),
    measured: measured?.map(viewOf),
  };
  const copied = DTYPES[info.dtype].float
    ? undefined
    : views[method?.integersFrom?.(parameters, views.length) ?? 0];
  return { tensor, method, copied };
}

/** Returns a checkpoint with one tensor of another checkpoint, under the name in the result. */
function renamed(checkpoint: Checkpoint | undefined, tensor: string, name: string): Checkpoint {
  if (checkpoint === undefined) throw new InvariantError(`no network of the plan has the tensor ${tensor}`);
  if (tensor === name && checkpoint.tensors.has(name)) return checkpoint;
  return composeCheckpoint(new Map([[name, { checkpoint, name: tensor }]]), { source: checkpoint.source });
}

/**
 * Number of surveys with whole tensors that are kept at a time; few suffice, because the ranges of a tensor
 * are read one after another.
 */
const WHOLE_KEPT = 2;

/** Remembers the survey of each tensor; ranges that are read concurrently wait for the same survey. */
function createSurveys() {
  const small = new Map<string, Promise<unknown>>();
  const whole = new Map<string, Promise<unknown>>();
  return {
    of(tensor: MergedTensor, method: MergeMethod): Promise<unknown> {
      const surveys = method.keepsTensor ? whole : small;
      const earlier = surveys.get(tensor.name);
      if (earlier !== undefined) return earlier;
      const survey = (async () => method.survey?.(tensor))();
      surveys.set(tensor.name, survey);
      const [oldest] = whole.keys();
      if (whole.size > WHOLE_KEPT && oldest !== undefined) whole.delete(oldest);
      return survey;
    },
  };
}
