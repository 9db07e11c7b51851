import type { Cluster, Workload } from "./cluster.ts";
import { drawTimes } from "./draw-times.ts";

/**
 * Measures the seconds of the longest chain of tasks that depend on each other, with all that a task cannot
 * do without: no number of workers is faster.
 */
export function criticalPath({ tasks }: Workload, cluster: Cluster): number {
  const { queue, waiting, bandwidth } = cluster;
  const rate = Math.min(bandwidth.storage, bandwidth.worker);
  const times = drawTimes(tasks, cluster);
  const ends = new Float64Array(tasks.length);
  const begin = Math.max(waiting.plan + waiting.planPerTask * tasks.length + waiting.add, cluster.start);
  let longest = 0;
  for (const [index, { after, reads, writes }] of tasks.entries()) {
    // A loop, as a task may depend on more than a call can have arguments.
    let ready = begin;
    for (const task of after) ready = Math.max(ready, (ends[task] as number) + waiting.add);
    const asks = 3 * queue.latency + 2 * queue.service;
    const end = ready + asks + (reads + writes) / rate + (times[index] as number) + waiting.note;
    ends[index] = end;
    longest = Math.max(longest, end);
  }
  return longest;
}
