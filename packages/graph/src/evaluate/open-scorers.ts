import { at } from "@isthmus/core";
import type { Architecture } from "../architecture.ts";
import type { DataSet } from "../data-set.ts";
import type { Graph, ValueInfo } from "../ir/graph.ts";
import { isElementwise } from "../scoring/elementwise-losses.ts";
import { type LossPart, lossParts } from "../scoring/loss-parts.ts";
import { type Scoring, scoringOf } from "../scoring/scoring-of.ts";
import type { RunBatch } from "./create-passes.ts";
import { FunctionScores } from "./function-scores.ts";
import { NumberScores } from "./number-scores.ts";
import { createLogitsReader } from "./read-logits.ts";
import { type Evaluation, Scores, summarize } from "./scores.ts";

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
