import { gradient, hessianVectorProduct, productName, vectorName } from "@isthmus/autodiff";
import { allocateData, dot, InputError, sizeOf, type Tensor } from "@isthmus/core";
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

/** A direction in the space of weights; tensors that are missing do not move. */
export type Direction = ReadonlyMap<string, Tensor>;

/** A network's weights, a tensor for every weight of the graph. */
export type NetworkWeights = ReadonlyMap<string, Tensor>;

/** What is differentiated. */
export interface DifferentiatedLoss {
  readonly graph: Graph;
  readonly engine: Engine;
  readonly data: DataSet;
  /** Undefined for what networks are evaluated by: cross-entropy, of texts that of the next token. */
  readonly loss: LossSpec | undefined;
  /** Weights that move in some direction. */
  readonly names: readonly string[];
  /** Only the first so many examples. */
  readonly examples: number;
  /** Examples in one engine call. */
  readonly batchSize: number;
  readonly signal: AbortSignal | undefined;
}

/** Derivatives of the mean loss of networks along directions, as inference runs them. */
export interface LossDerivatives {
  /** The loss, then its derivative along each direction. */
  slopes(network: NetworkWeights, directions: readonly Direction[]): Promise<number[]>;
  /** `d' H d_h` of one direction with each of several. */
  curvatures(
    network: NetworkWeights,
    direction: Direction,
    directions: readonly Direction[],
  ): Promise<number[]>;
  /** Frees what the engine holds. */
  release(): Promise<void>;
}

/** Examples in batches of one size, with the graphs for it. */
interface Part {
  readonly begin: number;
  readonly end: number;
  readonly batch: number;
  readonly plan: FeedPlan;
  readonly objective: Objective;
  readonly first: Session;
  readonly second: Session;
}

/**
 * Prepares first and second derivatives: graphs that are differentiated once and twice, for whole batches and, as shapes are fixed,
 * for the examples left over. Sums over tensors and batches are in f64, a batch's own in the type of the weights.
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
    names.reduce((sum, name) => sum + productOf(results.get(nameOf(name)), direction.get(name)), 0);
  return {
    slopes: (network, directions) =>
      averageOver(differentiated, parts, (part, feeds) =>
        part.first
          .run(withWeights(part.objective.graph, network, feeds))
          .then((results) => [
            Number(results.get(part.objective.loss)?.data[0]),
            ...directions.map((direction) =>
              along(results, (name) => gradientName(part.objective.loss, name), direction),
            ),
          ]),
      ),
    curvatures(network, direction, directions) {
      const vector = names.map((name): [string, Tensor] => [
        vectorName(name),
        direction.get(name) ?? zerosLike(network.get(name)),
      ]);
      return averageOver(differentiated, parts, async (part, feeds) => {
        const all = new Map([...withWeights(part.objective.graph, network, feeds), ...vector]);
        const results = await part.second.run(all);
        return directions.map((own) => along(results, (name) => productName(part.objective.loss, name), own));
      });
    },
    release,
  };
}

/** Whole batches and, as shapes are fixed, the examples left over; of a graph of a fixed batch the last one is filled up. */
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
  const typed = await specialize(graph, engine, { batch: range.batch, extents: plan.extents });
  const isFilled = (range.end - range.begin) % range.batch > 0;
  const spec = loss ?? lossOfData(graph, data);
  const objective = attachLoss(typed, isFilled ? weighted(spec, data, range.batch) : spec);
  const own = {
    ...objective.graph,
    outputs: objective.graph.outputs.filter(({ name }) => name === objective.loss),
  };
  const options = { loss: objective.loss, withRespectTo: names };
  const first = await engine.load(gradient(own, options));
  try {
    const second = await engine.load(hessianVectorProduct(own, options));
    return { ...range, plan, objective, first, second };
  } catch (error) {
    await first.release();
    throw error;
  }
}

/** The loss by which examples that only fill up a batch can be left out. */
function weighted(loss: LossSpec, { name }: DataSet, batch: number): LossSpec {
  if (loss.kind === "cross-entropy" || loss.kind === "next-token") return { ...loss, weighted: true };
  throw new InputError(
    `Cannot differentiate the loss on "${name}" as the graph takes batches of ${batch}, and of a loss of kind ${loss.kind} no examples can be left out: take a multiple of ${batch} examples`,
    { input: name },
  );
}

/** The mean of numbers over all examples, from those of batches. */
async function averageOver(
  { data, examples, signal }: DifferentiatedLoss,
  parts: readonly Part[],
  run: (part: Part, feeds: ReadonlyMap<string, Tensor>) => Promise<number[]>,
): Promise<number[]> {
  let sums: number[] = [];
  for (const part of parts) {
    for (let begin = part.begin; begin < part.end; begin += part.batch) {
      signal?.throwIfAborted();
      const end = Math.min(begin + part.batch, part.end);
      const numbers = await run(part, feedsOf(part, data, { begin, end }));
      sums = numbers.map((number, i) => (sums[i] ?? 0) + (number * (end - begin)) / examples);
    }
  }
  return sums;
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
  // As networks are evaluated: every example counts the same, however many of its positions do.
  const filler = createTargetFiller(step, batch, { classes: data.classes, weighting: "examples" });
  filler.fill();
  const all = new Map(feeds);
  if (targets.name !== examples) all.set(targets.name, filler.targets);
  if (targetWeights !== undefined && filler.weights !== undefined) all.set(targetWeights, filler.weights);
  return all;
}

/** Feeds with the weights that the graph takes. */
function withWeights(
  graph: Graph,
  network: NetworkWeights,
  feeds: ReadonlyMap<string, Tensor>,
): Map<string, Tensor> {
  return new Map([...[...network].filter(([name]) => graph.weights.has(name)), ...feeds]);
}

function productOf(derivative: Tensor | undefined, direction: Tensor | undefined): number {
  return derivative === undefined || direction === undefined ? 0 : dot(derivative, direction);
}

function zerosLike(tensor: Tensor | undefined): Tensor {
  const { dtype, shape } = tensor ?? { dtype: "f32", shape: [] };
  return { dtype, shape, data: allocateData(dtype, sizeOf(shape)) };
}
