import type { QueueDescription } from "@isthmus/distributed";
import { formatTable } from "../format/format-table.ts";
import { plural } from "../format/plural.ts";
import { formatSeconds } from "../training/format-training.ts";

/** Number of tasks of a list that are shown. */
const SHOWN = 20;

/** Formats the contents of a queue: counts, workers, and the tasks that run or have failed. */
export function formatQueue({ queue, counts, workers, running, failed }: QueueDescription): string {
  const names = workers.length === 0 ? "" : `: ${workers.map(({ name }) => name).join(", ")}`;
  const served = `${plural(workers.length, "worker", "workers")}${names}`;
  const parts = [
    `${queue}: ${counts.waiting} waiting, ${counts.running} running, ${counts.failed} failed; ${served}`,
  ];
  if (running.length > 0) {
    const rows = running
      .slice(0, SHOWN)
      .map(({ id, label, worker = "", done = 0, seconds }) => [
        ...[id, label, worker, `${Math.round(done * 100)} %`],
        seconds === undefined ? "" : formatSeconds(seconds),
      ]);
    parts.push(
      formatTable(
        [
          { title: "id", align: "left" },
          { title: "running", align: "left" },
          { title: "worker", align: "left" },
          { title: "done", align: "right" },
          { title: "for", align: "right" },
        ],
        rows,
      ),
    );
  }
  if (failed.length > 0) {
    parts.push(
      failed
        .slice(0, SHOWN)
        .map(({ id, label, error }) => `${id} "${label}" failed: ${error?.message ?? ""}`)
        .join("\n"),
    );
  }
  return parts.join("\n\n");
}
