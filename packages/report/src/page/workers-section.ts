import type { Section } from "@isthmus/findings";
import type { WorkerRow } from "./worker-row.ts";

/** Makes the section of a page that lists the machines that made the result. */
export function workersSection(workers: readonly WorkerRow[]): Section {
  const caption = "Workers that have run the tasks, the number of tasks of each, and the time these took.";
  return {
    name: "section-workers",
    title: "Where it ran",
    figures: [],
    tables: [
      {
        name: "workers",
        title: "Where it ran",
        caption,
        columns: [
          { title: "Worker", kind: "text" },
          { title: "Tasks", kind: "whole" },
          { title: "Time", kind: "number", unit: "s" },
        ],
        rows: workers.map(({ worker, tasks, seconds }) => ({ cells: [worker, tasks, seconds] })),
      },
    ],
  };
}
