import { measurePlane } from "@isthmus/barrier";
import type { Checkpoint } from "@isthmus/core";
import type { Architecture, DataSet } from "@isthmus/graph";
import type { Handling } from "../protocol.ts";
import type { MeasuredMap } from "./story-requests.ts";

/** Columns and rows of the map, and test images that each place is measured on: a few seconds of work. */
const PLACES = 19;
const EXAMPLES = 500;

/** Measures the losses on the plane through three networks. */
export async function measureMap(
  architecture: Architecture,
  { a, b, aligned }: { readonly a: Checkpoint; readonly b: Checkpoint; readonly aligned: Checkpoint },
  data: DataSet,
  { signal, report }: Handling<{ readonly done: number }>,
): Promise<MeasuredMap> {
  const subjects = [
    { label: "A", network: a },
    { label: "B", network: b },
    { label: "B aligned", network: aligned },
  ] as const;
  const { xs, ys, loss, models } = await measurePlane(
    architecture,
    subjects,
    { ...data, size: EXAMPLES },
    { points: PLACES, batchSize: EXAMPLES, signal, onProgress: ({ done }) => report({ done }) },
  );
  const networks = models.map(({ label, x, y }) => ({ label, x, y }));
  return { xs, ys, loss: loss.flat(), networks, examples: EXAMPLES };
}
