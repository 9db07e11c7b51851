import type { Graph } from "@isthmus/graph";
import type { Value } from "@isthmus/graph/builder";
import type { OutputObjective } from "../objective.ts";
import { unusedName } from "../unused-name.ts";

/** Values of an objective under construction. */
interface ObjectiveValues {
  readonly loss: Value;
  readonly losses: Value;
  /** Output that the losses are computed from. */
  readonly output: Value;
  readonly metrics: Readonly<Record<string, Value>>;
  readonly examples: string;
  readonly targets: Value;
  readonly targetWeights?: Value;
}

/**
 * Builds the graph of an objective. Its outputs are the outputs of `graph`, then the loss, then the metrics.
 */
export function finishObjective(graph: Graph, values: ObjectiveValues): OutputObjective {
  const { loss, losses, output, examples, targets, targetWeights } = values;
  const { builder } = loss;
  const named = (value: Value, name: string) => builder.rename(value, unusedName(graph, name));
  const outputs = graph.outputs.map(({ name }) => builder.value(name));
  const minimised = named(loss, "loss");
  const metrics = Object.entries(values.metrics).map(([what, value]): [string, Value] => [
    what,
    named(value, what),
  ]);
  return {
    graph: builder.build([...outputs, minimised, ...metrics.map(([, value]) => value)]),
    loss: minimised.name,
    examples,
    targets: { name: targets.name, dtype: targets.dtype, shape: targets.shape },
    ...(targetWeights === undefined ? {} : { targetWeights: targetWeights.name }),
    metrics: new Map(metrics.map(([what, { name }]) => [what, name])),
    losses: losses.name,
    output: output.name,
  };
}
