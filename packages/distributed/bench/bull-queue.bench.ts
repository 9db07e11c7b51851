// Measures how many small tasks a second pass through queues of BullMQ, with two servers in this process.
//
//   npx tsx --conditions=@isthmus/source packages/distributed/bench/bull-queue.bench.ts [--tasks=10000] [--capacity=8]
import { setTimeout } from "node:timers/promises";
import { parseArgs } from "node:util";
import { openBullQueue } from "../src/queue/bullmq/open-bull-queue.ts";
import { makeTask } from "../test/make-task.ts";
import { startPostgres } from "../test/start-postgres.ts";
import { startRedis } from "../test/start-redis.ts";

const { values } = parseArgs({
  options: { tasks: { type: "string", default: "10000" }, capacity: { type: "string", default: "8" } },
});
const count = Number(values.tasks);
const capacity = Number(values.capacity);
const tasks = Array.from({ length: count }, (_, number) => makeTask(number));
const megabytes = (): number => Math.round(process.memoryUsage().rss / 2 ** 20);
const say = (line: string): void => void process.stdout.write(`${line}\n`);

for (const [database, start] of [
  ["Redis", startRedis],
  ["PostgreSQL", startPostgres],
] as const) {
  const server = await start();
  if (server === undefined) continue;
  const before = megabytes();
  const queue = await openBullQueue(server.url, { name: "bench" });
  let begin = performance.now();
  await queue.add(tasks);
  const seconds = (): number => (performance.now() - begin) / 1000;
  say(`${database}: ${(count / seconds()).toFixed(0)} tasks added a second`);
  begin = performance.now();
  await queue.find(tasks.map(({ id }) => id));
  say(`${database}: ${(count / seconds()).toFixed(0)} tasks found a second`);
  const followed = new Set<string>();
  await queue.follow("runs/a", ({ kind, id }) => void (kind === "done" && followed.add(id)));
  let done = 0;
  let most = 0;
  begin = performance.now();
  await new Promise<void>((resolve, reject) => {
    const serve = (worker: string) =>
      queue.serve(
        async () => {
          if (done % 500 === 0) most = Math.max(most, megabytes());
          if (++done === count) resolve();
          return { kind: "done", seconds: 0 };
        },
        { worker, capacity },
      );
    Promise.all([serve("one"), serve("two")]).catch(reject);
  });
  say(
    `${database}: ${(count / seconds()).toFixed(0)} tasks done a second by 2 servers of ${capacity}; ` +
      `memory of the process ${before} MB before, ${most} MB at most; ${followed.size} of ${count} seen by a follower so far`,
  );
  await setTimeout(10_000);
  say(`${database}: ${followed.size} of ${count} seen by the follower in the end`);
  await queue.close();
  await server.stop();
}
