import { randomUUID } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import { describe, expect, it, type TestContext } from "vitest";
import { freshPlace } from "../../../test/bull-place.ts";
import { startFar, until } from "../../../test/conformance/queue-bench.ts";
import { makeTask } from "../../../test/make-task.ts";
import { startPostgres } from "../../../test/start-postgres.ts";
import { startRedis } from "../../../test/start-redis.ts";
import type { TaskQueue } from "../task-queue.ts";
import { openBullQueue } from "./open-bull-queue.ts";

const SERVERS = [
  { database: "Redis", start: startRedis },
  { database: "PostgreSQL", start: startPostgres },
] as const;
const PATIENCE = { lease: 3000, attempts: 3, deaths: 3, pause: 20 };

/** Milliseconds that the server is away: longer than workers and clients wait between two attempts. */
const AWAY = 4000;

type Start = (typeof SERVERS)[number]["start"];

/** Starts a server for a test, which is skipped if there is none to start; all that it opens ends with it. */
async function begin({ skip, onTestFinished }: TestContext, start: Start) {
  const server = await start();
  if (server === undefined) return skip();
  const queues: TaskQueue[] = [];
  onTestFinished(async () => {
    await Promise.all(queues.map((queue) => queue.close()));
    await server.stop();
  });
  /** Opens a queue, and gathers what it says of trouble. */
  const open = async (name: string): Promise<{ queue: TaskQueue; said: readonly string[] }> => {
    const said: string[] = [];
    const queue = await openBullQueue(server.url, { name, onTrouble: (sentence) => said.push(sentence) });
    queues.push(queue);
    return { queue, said };
  };
  return { server, open };
}

// Concurrent, as all of them wait most of the time; each has a server of its own.
describe.concurrent.each(SERVERS)("openBullQueue() while $database is away", ({ start }) => {
  it("add() waits until it is back, all tasks are done, and each side says one sentence", async (context) => {
    const { server, open } = await begin(context, start);
    const name = `test-${randomUUID()}`;
    const adder = await open(name);
    const { queue, said } = await open(name);
    const done = new Set<string>();
    const events = new Set<string>();
    const tasks = Array.from({ length: 60 }, (_, number) => makeTask(number));
    await adder.queue.follow("runs/a", ({ kind, id }) => kind === "done" && events.add(id));
    await queue.serve(
      async ({ id }) => {
        await setTimeout(100);
        done.add(id);
        return { kind: "done", seconds: 0.1 };
      },
      { worker: "near", capacity: 2, ...PATIENCE },
    );
    await adder.queue.add(tasks.slice(0, 30));
    await until(() => expect(done.size).toBeGreaterThan(4));
    await server.kill();
    const added = adder.queue.add(tasks.slice(30));
    await setTimeout(AWAY);
    await server.restart();
    await added;
    await until(() => expect(done.size).toBe(60));
    await until(async () => expect(await adder.queue.count()).toEqual({ waiting: 0, running: 0, failed: 0 }));
    await until(() => expect(events.size).toBeGreaterThanOrEqual(58));
    for (const sentences of [adder.said, said]) {
      expect(sentences.filter((one) => one.startsWith("Trouble"))).toHaveLength(1);
      expect(sentences.join()).not.toMatch(/sesame|tester|default/);
    }
  });

  it("drain() and close() end all the same", async (context) => {
    const { server, open } = await begin(context, start);
    const { queue } = await open(`test-${randomUUID()}`);
    await queue.follow("runs/a", () => undefined);
    const serving = await queue.serve(async () => ({ kind: "released" }), {
      worker: "near",
      capacity: 2,
      ...PATIENCE,
    });
    await server.kill();
    await serving.drain();
    await queue.close();
    expect(serving.running).toBe(0);
  });

  it("a process that closes its queue meanwhile ends by itself, whether or not the server comes back", async (context) => {
    const { server } = await begin(context, start);
    const place = freshPlace(server.url);
    const [first, second] = await Promise.all([startFar(place, "first"), startFar(place, "second")]);
    await server.kill();
    await setTimeout(2000);
    await first.finish();
    const ended = second.finish();
    await server.restart();
    await ended;
    expect([first.child.exitCode, second.child.exitCode]).toEqual([0, 0]);
  }, 60_000);
});
