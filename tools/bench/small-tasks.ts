// Runs many tasks that do nothing through each sort of queue: how many a second, and how much memory the waiting process
// and the server of the queue take.
//
//   npx tsx --conditions=@isthmus/source tools/bench/small-tasks.ts [--tasks 10000] [--queues folder,redis,postgres]
//
// Two worker processes of eight tasks at once; tasks run inside these, as starting processes is not what is measured. Prints a line of JSON for
// each queue.
import { fork } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { createQueueExecutor, openQueue, openStorage, runWorker } from "@isthmus/distributed";
import { createTask, createTaskKinds, runMissing, runTask, type TaskKind } from "@isthmus/tasks";
import { memoryBytes } from "../cluster/processes.ts";
import { type QueueSort, queueSort, startQueue } from "../cluster/queue-servers.ts";

const { values } = parseArgs({
  options: {
    tasks: { type: "string", default: "10000" },
    queues: { type: "string", default: "folder,redis,postgres" },
    serve: { type: "string" },
    storage: { type: "string", default: "" },
  },
});

const noop: TaskKind = { name: "noop", version: 1, assertParams() {}, run: async () => ({ done: true }) };
const kinds = createTaskKinds([noop]);

if (values.serve === undefined) {
  for (const sort of values.queues.split(",").map(queueSort)) await measure(sort);
} else {
  await runWorker({
    ...{
      queue: await openQueue(values.serve),
      storage: await openStorage(values.storage),
      kinds,
      engine: "none",
    },
    executor: { capacity: 8, run: (task, control) => runTask(kinds, task, {}, control) },
    name: String(process.pid),
  });
}

async function measure(sort: QueueSort): Promise<void> {
  const server = await startQueue(sort);
  if (server === undefined) return;
  const folder = mkdtempSync(join(tmpdir(), "isthmus-small-tasks-"));
  const args = ["--serve", server.address, "--storage", folder];
  const workers = [0, 1].map(() => fork(fileURLToPath(import.meta.url), args));
  const count = Number(values.tasks);
  const tasks = Array.from({ length: count }, (_, index) =>
    createTask(noop, "none", { params: { index }, inputs: {}, label: `task ${index}` }),
  );
  const [queue, storage] = [await openQueue(server.address), await openStorage(folder)];
  const executor = await createQueueExecutor({
    queue,
    storage,
    store: "tasks",
    directory: "",
    engine: "none",
  });
  const before = process.memoryUsage.rss();
  let most = before;
  const serverBytes = (): number => (server.server === undefined ? 0 : memoryBytes(server.server.pid()));
  const serverBefore = serverBytes();
  let serverMost = serverBefore;
  const watch = setInterval(() => {
    most = Math.max(most, process.memoryUsage.rss());
    serverMost = Math.max(serverMost, serverBytes());
  }, 200);
  const [began, cpu] = [performance.now(), process.cpuUsage()];
  const keys = tasks.map(({ key }) => key);
  const { ran, failures } = await runMissing(tasks, keys, { folder: join(folder, "tasks"), executor });
  const seconds = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  clearInterval(watch);
  const megabytes = (bytes: number): number => Math.round(bytes / 2 ** 20);
  console.log(
    JSON.stringify({
      ...{ queue: sort, tasks: count, ran, failed: failures.length },
      ...{ seconds: Number(seconds.toFixed(1)), perSecond: Math.round(count / seconds) },
      cpuOfWaiting: Number(((user + system) / 1e6).toFixed(1)),
      memory: { before: megabytes(before), most: megabytes(most) },
      serverMemory: { before: megabytes(serverBefore), most: megabytes(serverMost) },
    }),
  );
  for (const worker of workers) worker.kill("SIGKILL");
  await executor.close();
  await queue.close();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
}
