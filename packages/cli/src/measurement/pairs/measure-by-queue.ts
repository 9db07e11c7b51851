import type { AnyMeasurement, MeasurePairs } from "@isthmus/findings";
import { limitExamples } from "@isthmus/graph";
import { STATISTICS_EXAMPLES } from "@isthmus/statistics";
import { gatherFiles } from "@isthmus/tasks";
import type { QueueTasks } from "../../work/with-queue.ts";
import type { Opened } from "../open-subject.ts";

/**
 * Returns what measures the pairs of a measurement on the workers of a queue; undefined if the measurement
 * has none. A command without a queue does not load what tasks are made of.
 */
export async function measureByQueue(
  tasks: QueueTasks,
  { pairs: measured, ...measurement }: AnyMeasurement,
  { subject, named }: Pick<Opened, "subject" | "named">,
): Promise<MeasurePairs | undefined> {
  if (measured === undefined || named === undefined || !("statisticsData" in subject)) return undefined;
  const { describePairsData } = await import("./pairs-data.ts");
  const { queuePairs } = await import("./queue-pairs.ts");
  const { describeGathered } = await import("../../work/gather-inputs.ts");
  const files = gatherFiles({ isElsewhere: !tasks.executor.isShared });
  const { data } = subject;
  const { statisticsData = limitExamples("measure statistics", data, STATISTICS_EXAMPLES) } = subject;
  const opened = { data, statisticsData };
  const described = await describePairsData(named.options, named.context, { opened, files });
  const queued = { ...described, size: data.size, files: await describeGathered(files, tasks.context) };
  return queuePairs(tasks, { measurement, measured, queued });
}
