import { gradient, hessianVectorProduct, productName, vectorName } from "@isthmus/autodiff";
import { allocateData, at, dot, entry, InputError, sizeOf, type Tensor } from "@isthmus/core";
import {
  type BatchRange,
  type DataSet,
  type Engine,
  type FeedPlan,
  type Graph,
  planFeeds,
  type Session,
  specialize,
} from "@isthmus/graph";
import { gradientName } from "@isthmus/graph/ir";
import { attachLoss, createTargetFiller, type LossSpec, lossOfData, type Objective } from "@isthmus/training";

/** A direction in the space of weights; it is 0 in tensors that are missing. */
export type Direction = ReadonlyMap<string, Tensor>;

/** The weights of a network: a tensor for every weight of the graph. */
export type NetworkWeights = ReadonlyMap<string, Tensor>;

/** A loss to differentiate, and by which weights. */
export interface DifferentiatedLoss {
  readonly graph: Graph;
  readonly engine: Engine;
  readonly data: DataSet;
  /** Undefined for the loss that networks are evaluated by: cross-entropy, for texts of the next token. */
  readonly loss: LossSpec | undefined;
  /** Names of all weights that move in some direction. */
  readonly names: readonly string[];
  /** Number of examples, the first ones of the data. */
  readonly examples: number;
  /** Examples in one engine call. */
  readonly batchSize: number;
  readonly signal: AbortSignal | undefined;
}

/** Computes derivatives of the mean loss of networks in inference mode along directions. */
export interface LossDerivatives {
  /** Computes the loss, then its derivative along each direction. */
  slopes(network: NetworkWeights, directions: readonly Direction[]): Promise<number[]>;
  /** Computes `d' H d_h` for one direction `d` and each of several directions `d_h`. */
  curvatures(
    network: NetworkWeights,
    direction: Direction,
    directions: readonly Direction[],
  ): Promise<number[]>;
  /** Frees what the engine holds. */
  release(): Promise<void>;
}

/** Examples `begin` to `end` in batches of one size, and the sessions of the graphs for that size. */
interface Part {
  readonly begin: number;
  readonly end: number;
  readonly batch: number;
  readonly plan: FeedPlan;
  readonly objective: Objective;
  /** Computes the loss and its gradient. */
  readonly first: Session;
  /** Computes the product of the Hessian and a vector. */
  readonly second: Session;
}

/**
 * Prepares first and second derivatives of a loss: graphs that are differentiated once and twice, for whole
 * batches and, as shapes are fixed, for the remaining examples. Sums over tensors and batches are in f64,
 * sums within a batch in the type of the weights.
 * @throws UnsupportedError if an operator has no gradient rule; it names the node
 * @throws InputError or MismatchError if the data do not fit the graph or the loss
 */
export async function createLossDerivatives(differentiated: DifferentiatedLoss): Promise<LossDerivatives> {
  const { names, graph, data } = differentiated;
  const plan = planFeeds("differentiate the loss", graph, data, differentiated.batchSize);
  const ranges = rangesOf(differentiated, plan.fixedBatch);
  const parts: Part[] = [];
  const release = async () => {
    for (const { first, second } of parts) await Promise.all([first.release(), second.release()]);
  };
  try {
    for (const range of ranges) parts.push(await createPart(differentiated, plan, range));
  } catch (error) {
    await release();
    throw error;
  }
  const along = (results: NetworkWeights, nameOf: (name: string) => string, direction: Direction) =>
    names.reduce((sum, name) => {
      const moved = direction.get(name);
      return sum + (moved === undefined ? 0 : dot(entry(results, nameOf(name), "derivative"), moved));
    }, 0);
  return {
    slopes: (network, directions) =>
      averageOver(differentiated, parts, (part, feeds) =>
        part.first
          .run(withWeights(part.objective.graph, network, feeds))
          .then((results) => [
            Number(at<number | bigint>(entry(results, part.objective.loss, "output").data, 0)),
            ...directions.map((direction) =>
              along(results, (name) => gradientName(part.objective.loss, name), direction),
            ),
          ]),
      ),
    curvatures(network, direction, directions) {
      const vector = names.map((name): [string, Tensor] => [
        vectorName(name),
        direction.get(name) ?? zerosLike(entry(network, name, "weight")),
      ]);
      return averageOver(differentiated, parts, async (part, feeds) => {
        const all = new Map([...withWeights(part.objective.graph, network, feeds), ...vector]);
        const results = await part.second.run(all);
        return directions.map((other) =>
          along(results, (name) => productName(part.objective.loss, name), other),
        );
      });
    },
    release,
  };
}

/**
 * Divides the examples into whole batches and, as shapes are fixed, the remaining examples. If the graph
 * fixes the size of its batch, the last batch is filled up instead.
 */
function rangesOf(
  { examples, batchSize }: DifferentiatedLoss,
  fixed: number | undefined,
): Pick<Part, "begin" | "end" | "batch">[] {
  if (fixed !== undefined) return [{ begin: 0, end: examples, batch: fixed }];
  const batch = Math.min(batchSize, examples);
  const whole = examples - (examples % batch);
  return [
    { begin: 0, end: whole, batch },
    { begin: whole, end: examples, batch: examples - whole },
  ].filter(({ begin, end }) => begin < end);
}

async function createPart(
  { graph, engine, data, loss, names }: DifferentiatedLoss,
  plan: FeedPlan,
  range: Pick<Part, "begin" | "end" | "batch">,
): Promise<Part> {
  const typed = await specialize({ graph, engine }, { batch: range.batch, extents: plan.extents });
  const isFilled = (range.end - range.begin) % range.batch > 0;
  const spec = loss ?? lossOfData(graph, data);
  const objective = attachLoss(typed, isFilled ? weighted(spec, data, range.batch) : spec);
  const lossGraph = {
    ...objective.graph,
    outputs: objective.graph.outputs.filter(({ name }) => name === objective.loss),
  };
  const options = { loss: objective.loss, withRespectTo: names };
  const first = await engine.load(gradient(lossGraph, options));
  try {
    const second = await engine.load(hessianVectorProduct(lossGraph, options));
    return { ...range, plan, objective, first, second };
  } catch (error) {
    await first.release();
    throw error;
  }
}

/** Returns the weighted form of a loss, by which examples that only fill up a batch can be left out. */
function weighted(loss: LossSpec, { name }: DataSet, batch: number): LossSpec {
  if (loss.kind === "cross-entropy" || loss.kind === "next-token") return { ...loss, weighted: true };
  throw new InputError(
    `Cannot differentiate the loss on "${name}" as the graph takes batches of ${batch}, and of a loss of kind ${loss.kind} no examples can be left out: take a multiple of ${batch} examples`,
    { input: name },
  );
}

/** Computes the mean of numbers over all examples from the means of batches. */
async function averageOver(
  { data, examples, signal }: DifferentiatedLoss,
  parts: readonly Part[],
  run: (part: Part, feeds: ReadonlyMap<string, Tensor>) => Promise<number[]>,
): Promise<number[]> {
  let sums: number[] | undefined;
  for (const part of parts) {
    for (let begin = part.begin; begin < part.end; begin += part.batch) {
      signal?.throwIfAborted();
      const end = Math.min(begin + part.batch, part.end);
      const numbers = await run(part, feedsOf(part, data, { begin, end }));
      const before = sums ?? numbers.map(() => 0);
      sums = numbers.map((number, i) => at(before, i, "sum") + (number * (end - begin)) / examples);
    }
  }
  return sums ?? [];
}

function feedsOf(
  { plan, objective, batch: rows }: Part,
  data: DataSet,
  range: BatchRange,
): Map<string, Tensor> {
  const { graph, examples, targets, targetWeights } = objective;
  const { feeds, batch } = plan.read(range);
  const step = {
    ...{ graph, batch: rows, examples, targets: targets.name },
    ...(targetWeights === undefined ? {} : { targetWeights }),
  };
  // As in the evaluation of networks, every example counts the same, however many of its positions count.
  const filler = createTargetFiller(step, batch, { classes: data.classes, weighting: "examples" });
  filler.fill();
  const all = new Map(feeds);
  if (targets.name !== examples) all.set(targets.name, filler.targets);
  if (targetWeights !== undefined && filler.weights !== undefined) all.set(targetWeights, filler.weights);
  return all;
}

/** Adds the weights that the graph takes to the feeds of a batch. */
function withWeights(
  graph: Graph,
  network: NetworkWeights,
  feeds: ReadonlyMap<string, Tensor>,
): Map<string, Tensor> {
  return new Map([...[...network].filter(([name]) => graph.weights.has(name)), ...feeds]);
}

function zerosLike({ dtype, shape }: Tensor): Tensor {
  return { dtype, shape, data: allocateData(dtype, sizeOf(shape)) };
}
