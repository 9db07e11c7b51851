import {
  type Checkpoint,
  composeCheckpoint,
  convertInto,
  DTYPES,
  defineCheckpoint,
  type Elements,
  entry,
  type TensorInfo,
} from "@isthmus/core";
import { withRanges } from "@isthmus/interpolation";
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

/** One tensor of a merge: its place in the result, the tensors it is made of, and the rule that makes it. */
export interface PlannedTensor {
  /** Element type and shape in the result. */
  readonly info: TensorInfo;
  /** The rule; undefined where the tensor is copied from its only source. */
  readonly method: MergeMethod | undefined;
  /** Tensors that are merged, all of the shape of the result, at least one. */
  readonly sources: readonly [PlannedSource, ...PlannedSource[]];
  /** Tensor that the others were made from, for methods that have one. */
  readonly base?: PlannedSource | undefined;
  /** Checked values of the method's parameters for this tensor, networks in the order of `sources`. */
  readonly parameters: TensorParameters<MergeMethod["parameters"]>;
  /** Why the tensor is made so, in one line, for people who ask. */
  readonly reason: string;
}

/** A merge, tensor by tensor, before anything is computed. */
export interface MergePlan {
  /** Description of the result, for messages. */
  readonly source: string;
  readonly networks: readonly [Checkpoint, ...Checkpoint[]];
  /** By name in the result, in its order. */
  readonly tensors: ReadonlyMap<string, PlannedTensor>;
  /** Strings to store beside the tensors. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Seed of methods that draw random numbers, a whole number of at least 0. */
  readonly seed: number;
  /**
   * Multiplies matrices, for methods that need it; `createProducts(engine)` is several times faster.
   * @defaultValue `plainProducts`
   */
  readonly products?: MatrixProducts | undefined;
}

/**
 * Makes the checkpoint that a plan describes, lazily: nothing is computed before it is read, and then range
 * by range.
 *
 * Integer tensors, such as counters, are never blended: they are taken from the source that the method names.
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
      const { networks: sources, base } = tensor;
      await withRanges(base === undefined ? sources : [...sources, base], range, (all) => {
        const parts = all.slice(0, sources.length);
        return method.blendInto({ tensor, begin, parts, base: all[sources.length], survey }, out);
      });
    },
  });
}

/** What making one tensor needs. */
interface TensorJob {
  readonly tensor: MergedTensor;
  readonly method: MergeMethod | undefined;
  /** The network that an integer tensor is copied from. */
  readonly copied: Checkpoint | undefined;
}

function createJob(
  name: string,
  { info, method, sources, base, parameters }: PlannedTensor,
  { networks, seed, products = plainProducts }: MergePlan,
): TensorJob {
  const viewOf = ({ network, tensor }: PlannedSource) => renamed(networks[network], tensor, name);
  const [first, ...others] = sources;
  const views = [viewOf(first), ...others.map(viewOf)] as const;
  const tensor: MergedTensor = {
    ...{ name, info, parameters, seed, products },
    networks: views,
    base: base && viewOf(base),
  };
  const copied = DTYPES[info.dtype].float
    ? undefined
    : views[method?.integersFrom?.(parameters, views.length) ?? 0];
  return { tensor, method, copied };
}

/** A checkpoint of one tensor of another, under the name it has in the result. */
function renamed(checkpoint: Checkpoint | undefined, tensor: string, name: string): Checkpoint {
  if (checkpoint === undefined) throw new RangeError(`no network of the plan has the tensor ${tensor}`);
  if (tensor === name && checkpoint.tensors.has(name)) return checkpoint;
  return composeCheckpoint(new Map([[name, { checkpoint, name: tensor }]]), { source: checkpoint.source });
}

/**
 * Surveys that hold whole tensors and are kept at a time: the ranges of a tensor are read one after another.
 */
const WHOLE_KEPT = 2;

/** Remembers what was found out about each tensor; ranges that are read at once wait for the same survey. */
function createSurveys() {
  const kept = new Map<string, Promise<unknown>>();
  const whole = new Map<string, Promise<unknown>>();
  return {
    of(tensor: MergedTensor, method: MergeMethod): Promise<unknown> {
      const surveys = method.keepsTensor ? whole : kept;
      const earlier = surveys.get(tensor.name);
      if (earlier !== undefined) return earlier;
      const survey = (async () => method.survey?.(tensor))();
      surveys.set(tensor.name, survey);
      if (whole.size > WHOLE_KEPT) whole.delete([...whole.keys()][0] ?? "");
      return survey;
    },
  };
}
