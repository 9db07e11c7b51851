// Adds many tasks to a queue that is a folder, and serves some of them: what a claim costs must not grow with what waits.
//
//   npx tsx --conditions=@isthmus/source packages/distributed/bench/folder-queue.bench.ts [--tasks 100000] [--serve 2000]
//
// Prints a line of JSON for a queue of --serve tasks, and one for a queue of --tasks.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { createTask } from "@isthmus/tasks";
import { openFolderQueue } from "../src/queue/folder/open-folder-queue.ts";
import { queueTask } from "../src/queue/queued-task.ts";

const { values } = parseArgs({
  options: { tasks: { type: "string", default: "100000" }, serve: { type: "string", default: "2000" } },
});
const served = Number(values.serve);

for (const count of [served, Number(values.tasks)]) await measure(count);

async function measure(count: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "isthmus-folder-bench-"));
  const queue = await openFolderQueue(folder);
  const place = { store: "tasks", directory: "", engine: "none", root: folder };
  const adding = performance.now();
  for (let begin = 0; begin < count; begin += 1000) {
    const tasks = Array.from({ length: Math.min(1000, count - begin) }, (_, index) =>
      createTask({ name: "noop", version: 1 }, "none", {
        ...{ params: { index: begin + index }, inputs: {}, label: `task ${begin + index}` },
      }),
    );
    await queue.add(tasks.map((task) => queueTask(task, place)));
  }
  const added = (performance.now() - adding) / 1000;
  const serving = performance.now();
  let done = 0;
  let finish = (): void => {};
  const enough = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const server = await queue.serve(
    async () => {
      if (++done === served) finish();
      return { kind: "done", seconds: 0 };
    },
    { worker: "one", capacity: 4 },
  );
  await enough;
  const seconds = (performance.now() - serving) / 1000;
  await server.drain();
  const counting = performance.now();
  const counts = await queue.count();
  console.log(
    JSON.stringify({
      ...{ waiting: count, addedPerSecond: Math.round(count / added), served },
      servedPerSecond: Math.round(served / seconds),
      ...{ left: counts.waiting, secondsToCount: Number(((performance.now() - counting) / 1000).toFixed(2)) },
      memory: Math.round(process.memoryUsage.rss() / 2 ** 20),
    }),
  );
  await queue.close();
  rmSync(folder, { recursive: true, force: true });
}
