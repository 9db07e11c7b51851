import { at, InputError, OutOfRangeError, type Tensor } from "@isthmus/core";
import type { Architecture } from "../architecture.ts";
import type { DataSet } from "../data-set.ts";
import type { Graph, ValueInfo } from "../ir/graph.ts";
import { isElementwise } from "../scoring/elementwise-losses.ts";
import { type LossPart, lossParts } from "../scoring/loss-parts.ts";
import type { LossFunction } from "../scoring/losses.ts";
import { type Scoring, scoringOf } from "../scoring/scoring-of.ts";
import type { RunBatch } from "./create-passes.ts";
import { NumberScores } from "./number-scores.ts";
import { createLogitsReader } from "./read-logits.ts";
import { type Evaluation, Scores, summarize } from "./scores.ts";

/** Scores of a network by a function, accumulated batch by batch. */
class FunctionScores {
  readonly #attempt: string;
  readonly #data: DataSet;
  readonly #lossOf: LossFunction;
  readonly #losses: Float64Array;

  constructor(attempt: string, data: DataSet, lossOf: LossFunction) {
    this.#attempt = attempt;
    this.#data = data;
    this.#lossOf = lossOf;
    this.#losses = new Float64Array(data.size);
  }

  /** Adds the losses of the examples of a batch. */
  add(run: RunBatch): void {
    const { batch, examples, begin } = run;
    const outputs = new Map(
      [...run.results].map(([name, tensor]) => [name, rowsOf(tensor, run, this.#data)]),
    );
    const losses = this.#lossOf(outputs, batch);
    if (losses?.length !== examples) {
      throw new OutOfRangeError(
        `Cannot ${this.#attempt} on "${this.#data.name}" as the function must return a loss for each of ${examples} examples: it returned ${losses?.length ?? "nothing"}`,
      );
    }
    this.#losses.set(losses, begin);
  }

  /** Returns the evaluation of all added examples. */
  result(): Evaluation {
    return summarize(this.#losses, new Float64Array(this.#losses.length).fill(Number.NaN));
  }
}

/** Scores of one network, accumulated batch by batch. */
interface OpenScores {
  add(run: RunBatch): void | Promise<void>;
  result(): Evaluation;
}

/** Scores networks by one loss of one output. */
export interface Scorer {
  /** Name of the output, if several outputs have losses; empty if there is only one loss. */
  readonly name: string;
  /** Factor of the loss in the sum over outputs. */
  readonly weight: number;
  /** Loss of the output, and the value of the graph that it is computed from. */
  readonly scoring: Scoring;
  /** Begins the scores of one network. */
  begin(): OpenScores;
}

/** Scorers for the networks of a graph, and the values that must be computed for them. */
export interface OpenedScorers {
  /** The graph, with added nodes for logits that are not among its values. */
  readonly graph: Graph;
  /** Values that the scorers read. */
  readonly outputs: readonly ValueInfo[];
  /** Scorers of the outputs that have a loss, at least one. */
  readonly scorers: readonly Scorer[];
}

/**
 * Prepares the scoring of networks by the loss of their graph, or by each of several.
 * @throws InputError if a loss cannot be computed of the output and the labels
 */
export async function openScorers(
  attempt: string,
  { graph, engine }: Architecture,
  data: DataSet,
): Promise<OpenedScorers> {
  const scorers: Scorer[] = [];
  const outputs: ValueInfo[] = [];
  let whole = graph;
  for (const part of lossParts(attempt, graph, data)) {
    const { scored, loss } = part.graph;
    const scoredPart =
      part.name === "" ? graph : { ...whole, ...(scored && { scored }), ...(loss && { loss }) };
    const scoring = await scoringOf(attempt, { graph: scoredPart, engine }, part.data);
    whole = scoring.graph;
    const { logits: name, output } = scoring;
    if (typeof graph.loss === "function") outputs.push(...graph.outputs);
    else outputs.push({ name, ...(output.shape && { shape: output.shape }) });
    const begin = scoresOf(attempt, part.view, { scoring, graph: scoredPart, data: part.data });
    scorers.push({ name: part.name, weight: part.weight, scoring, begin });
  }
  return { graph: whole, outputs, scorers };
}

function scoresOf(
  attempt: string,
  view: LossPart["view"],
  { scoring, graph, data }: { readonly scoring: Scoring; readonly graph: Graph; readonly data: DataSet },
): () => OpenScores {
  const { loss, logits: output } = scoring;
  if (typeof graph.loss === "function") {
    const lossOf = graph.loss;
    return () => new FunctionScores(attempt, data, lossOf);
  }
  if (isElementwise(loss)) return () => new NumberScores({ loss, output, data, attempt });
  const read = createLogitsReader({ graph, scoring, data, attempt, texts: true });
  return () => {
    const scores = new Scores(data);
    return {
      add: async (run) => scores.add(await read({ ...run, batch: view(run.batch) })),
      result: () => scores.result(),
    };
  };
}

/** The evaluation of one output and its part in the whole. */
interface PartEvaluation extends Pick<Scorer, "name" | "weight"> {
  readonly evaluation: Evaluation;
}

/** Adds up the losses of several outputs; a single evaluation is returned unchanged. The sum has no error. */
export function sumScores(parts: readonly PartEvaluation[]): Evaluation {
  const { name, evaluation: first } = at(parts, 0, "output");
  if (name === "") return first;
  const losses = new Float64Array(first.examples);
  for (const { weight, evaluation } of parts) {
    for (let i = 0; i < losses.length; i++) {
      losses[i] = (losses[i] as number) + weight * (evaluation.losses[i] as number);
    }
  }
  const outputs = parts.map((part) => {
    const { loss, error } = part.evaluation;
    return [part.name, { loss, error }] as const;
  });
  const right = new Float64Array(first.examples).fill(Number.NaN);
  return { ...summarize(losses, right), outputs: Object.fromEntries(outputs) };
}

/** Returns the rows of a tensor without rows that only fill up a batch. */
function rowsOf(tensor: Tensor, { rows, examples }: RunBatch, { name }: DataSet): Tensor {
  const [first, ...shape] = tensor.shape;
  if (first !== rows) {
    throw new InputError(
      `Cannot score networks on "${name}" by a function as each output must have a row for each of ${rows} examples: one has ${first ?? "no rows"}`,
      { input: name },
    );
  }
  const size = (tensor.data.length / rows) * examples;
  return { ...tensor, shape: [examples, ...shape], data: tensor.data.subarray(0, size) };
}
