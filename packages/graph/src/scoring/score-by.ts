import { excerpt, OutOfRangeError, parseJson, UnsupportedError, UsageError } from "@isthmus/core";
import { describeValue } from "../ir/describe-value.ts";
import type { Graph } from "../ir/graph.ts";
import { infoOf, LOSSES, type Loss, type LossesOfOutputs, type LossOfOutput } from "./losses.ts";

/**
 * Sets the loss by which networks of a graph are scored in all measurements and trainings.
 * @param loss - the loss; for undefined the graph itself is returned
 * @throws UsageError if there is no such loss, or the graph has no output of that name
 * @throws OutOfRangeError if the weight of an output is not above 0
 */
export function scoreBy(graph: Graph, loss: Loss | undefined): Graph {
  if (loss === undefined) return graph;
  if (typeof loss === "string") assertKnown(graph, loss);
  else if (typeof loss === "object" && loss !== null) assertOutputs(graph, loss);
  else if (typeof loss !== "function") throw unknown(graph, loss);
  return { ...graph, loss };
}

/** Returns the loss of an output with all settings filled in. */
export function lossOfOutput(loss: string | LossOfOutput): LossOfOutput {
  return typeof loss === "string" ? { loss: loss as LossOfOutput["loss"] } : loss;
}

/** Writes a loss as the text that an encoded graph stores. */
export function encodeLoss(loss: Loss): string {
  // The text of a function distinguishes journals; no graph is decoded from it.
  return typeof loss === "function" ? `function ${loss}` : JSON.stringify(loss);
}

/**
 * Reads the loss that an encoded graph stores.
 * @throws UnsupportedError if the loss is a function, which files cannot store
 * @throws FormatError or UsageError if the text is not a loss of the graph
 */
export function withDecodedLoss(graph: Graph, text: string | undefined): Graph {
  if (text === undefined) return graph;
  if (text.startsWith("function ")) {
    throw new UnsupportedError(
      `Cannot read the loss of graph "${graph.name}" as a file must name it: it is a function; set it again by scoreBy()`,
      { feature: "loss of a function" },
    );
  }
  return scoreBy(graph, parseJson(text, { attempt: `read the loss of graph "${graph.name}"` }) as Loss);
}

function assertKnown(graph: Graph, loss: unknown): void {
  if (typeof loss !== "string" || infoOf(loss) === undefined) throw unknown(graph, loss);
}

function assertOutputs(graph: Graph, losses: LossesOfOutputs): void {
  const parts = Object.entries(losses);
  if (parts.length === 0) throw unknown(graph, losses);
  for (const [name, part] of parts) {
    const { loss, weight = 1 } = lossOfOutput(part);
    assertKnown(graph, loss);
    if (loss === "none" || loss === "next-token") {
      throw new UsageError(
        `Cannot score output "${name}" of graph "${graph.name}" by the loss ${loss} as losses of several outputs must be of labels: leave the output out, or give another loss`,
      );
    }
    if (!(weight > 0 && Number.isFinite(weight))) {
      throw new OutOfRangeError(
        `Cannot score output "${name}" of graph "${graph.name}" as its weight must be above 0: it is ${excerpt(weight)}`,
      );
    }
    if (graph.outputs.some((output) => output.name === name)) continue;
    throw new UsageError(
      `Cannot score output "${name}" of graph "${graph.name}" as a loss must be given for an output of it: the outputs are ${graph.outputs.map(describeValue).join(", ")}`,
    );
  }
}

function unknown(graph: Graph, loss: unknown): UsageError {
  return new UsageError(
    `Cannot score networks of graph "${graph.name}" as the loss must be ${LOSSES.map(({ name }) => name).join(", ")}, a function, or one of these for each output: it is ${excerpt(loss)}`,
  );
}
