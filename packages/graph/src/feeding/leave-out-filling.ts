import { type Tensor, UnsupportedError } from "@isthmus/core";
import type { BatchPlace } from "../batch/batch-place.ts";
import { followBatch } from "../batch/follow-batch.ts";
import { proveRows } from "../batch/prove-rows.ts";
import { takeExamples } from "../batch/take-examples.ts";
import type { Engine } from "../engine.ts";
import type { Graph } from "../ir/graph.ts";
import { probeGraph } from "../probe/probe-graph.ts";
import type { FedBatch, FeedPlan } from "./plan-feeds.ts";

/** Removes from a value of a batch the part of the rows that only fill up the batch. */
export type LeaveOutFilling = (
  name: string,
  value: Tensor,
  fed: Pick<FedBatch, "examples" | "rows">,
) => Tensor;

/** Place of a batch with one row for each example. */
const FIRST_AXIS: BatchPlace = { axis: 0, outer: 1, inner: 1 };

/**
 * Prepares removing the filling from values inside a graph, so that measurements of them are about the
 * examples alone. The place of the batch in a value is followed through operators, and found by running where
 * an operator has no rule. Nothing is done where no batch is filled up.
 *
 * @param attempt - name of the attempt for messages, for example `measure activations`
 * @param plan - plan by which the graph is fed
 * @returns a function that throws UnsupportedError if it is not known which part of a
 *   value belongs to which example
 * @throws EngineError if the engine cannot run the graph
 */
export async function createLeaveOutFilling(
  attempt: string,
  { graph, engine }: { readonly graph: Graph; readonly engine: Engine },
  { fixedBatch: batch, ranges }: Pick<FeedPlan, "fixedBatch" | "ranges">,
): Promise<LeaveOutFilling> {
  const last = ranges.at(-1);
  const isFilled = batch !== undefined && last !== undefined && last.end - last.begin < batch;
  if (!isFilled) return (_, value) => value;
  const probe = await probeGraph({ graph, engine }, { batch });
  const { places, lost } = followBatch(graph, probe, { batch, choice: "changed" });
  const rows: ReadonlySet<string> =
    lost.size === 0 ? new Set() : await proveRows({ graph, engine, batch, names: [...lost.keys()] });
  return (name, value, { examples, rows: fed }) => {
    if (examples === fed) return value;
    const reason = lost.get(name);
    const place = rows.has(name) ? FIRST_AXIS : places.get(name);
    if (reason !== undefined && place === undefined) {
      throw new UnsupportedError(
        `Cannot ${attempt} with graph "${graph.name}" as it takes batches of ${batch} and the last one of ${examples} is filled up, which must be left out of "${name}" again: which part of it belongs to which example is not known, ${reason}; take a multiple of ${batch} examples, or export the graph with a dynamic batch`,
        { feature: name },
      );
    }
    return place === undefined ? value : takeExamples(value, place, { begin: 0, end: examples });
  };
}
