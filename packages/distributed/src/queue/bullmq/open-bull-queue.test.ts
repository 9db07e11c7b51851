import { randomUUID } from "node:crypto";
import { DivergenceError, InputError } from "@isthmus/core";
import { describeError, reviveError } from "@isthmus/tasks";
import { Queue } from "bullmq";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freePort } from "../../../../../test/helpers/free-port.ts";
import { PATIENCE, until, untilCounts } from "../../../test/conformance/queue-bench.ts";
import { makeTask } from "../../../test/make-task.ts";
import { startPostgres } from "../../../test/start-postgres.ts";
import type { StartedServer } from "../../../test/start-process.ts";
import { startRedis } from "../../../test/start-redis.ts";
import { importClient } from "./backing.ts";
import { createCleaner, openBullQueue, placeOf } from "./open-bull-queue.ts";
import { createTrouble } from "./trouble.ts";

const SECRETS = /sesame|s3cret/;

describe.each([
  { database: "Redis", start: startRedis },
  { database: "PostgreSQL", start: startPostgres },
])("openBullQueue() on $database", ({ start }) => {
  let server: StartedServer | undefined;

  beforeAll(async () => {
    server = await start();
  });

  afterAll(async () => {
    await server?.stop();
  });

  it("is called by its place, without user, password and query", async (context) => {
    if (server === undefined) return context.skip();
    const url = new URL(server.url);
    url.searchParams.set("application_name", "s3cret");
    const queue = await openBullQueue(url, { name: "named" });
    expect(queue.name).toBe(`queue named at ${url.protocol}//${url.host}${url.pathname}`);
    await queue.close();
  });

  it("refuses a wrong password and a port where nothing is, without telling the password", async (context) => {
    if (server === undefined) return context.skip();
    const wrong = new URL(server.url);
    wrong.password = "s3cret";
    const nowhere = new URL(server.url);
    nowhere.port = String(await freePort());
    for (const [url, reason] of [
      [wrong, /WRONGPASS|password authentication failed for user "tester"\. Check/],
      [nowhere, /ECONNREFUSED/],
    ] as const) {
      const said: string[] = [];
      const onTrouble = (sentence: string): void => void said.push(sentence);
      const error = await openBullQueue(url, { name: "refused", onTrouble }).catch((one: unknown) => one);
      expect(error).toBeInstanceOf(InputError);
      expect(String(error)).toMatch(/^InputError: Cannot open the queue refused at \S+ as it must answer: /);
      expect(String(error)).toMatch(reason);
      expect([error, said, (error as InputError).stack].join()).not.toMatch(SECRETS);
      expect((error as InputError).cause).toBeUndefined();
    }
  });

  it("is as patient as it was opened to be, unless a server says otherwise", async (context) => {
    if (server === undefined) return context.skip();
    const queue = await openBullQueue(server.url, { name: `test-${randomUUID()}`, ...PATIENCE, attempts: 1 });
    let times = 0;
    const handle = async () => {
      times++;
      return { kind: "failed", error: describeError(new Error("disk full")), again: true } as const;
    };
    const first = await queue.serve(handle, { worker: "near", capacity: 1 });
    await queue.add([makeTask(1)]);
    await untilCounts(queue, [0, 0, 1]);
    expect(times).toBe(1);
    await first.drain();
    await queue.serve(handle, { worker: "near", capacity: 1, attempts: 2 });
    await queue.retry([makeTask(1).id]);
    await until(() => expect(times).toBe(3));
    await untilCounts(queue, [0, 0, 1]);
    await queue.close();
  });

  it("gives an error back whole, even with characters and numbers that databases do not take", async (context) => {
    if (server === undefined) return context.skip();
    const queue = await openBullQueue(server.url, { name: `test-${randomUUID()}` });
    const fault = new DivergenceError('NUL \0, half \ud800, "quoted"', { step: 3, loss: Number.NaN });
    const outcome = { kind: "failed", error: describeError(fault), again: false } as const;
    await queue.serve(async () => outcome, { worker: "near", capacity: 1, ...PATIENCE });
    await queue.add([makeTask(1)]);
    await untilCounts(queue, [0, 0, 1]);
    const [entry] = await queue.list("failed", 1);
    expect(entry?.error).toEqual(outcome.error);
    expect(reviveError(entry?.error ?? outcome.error)).toMatchObject({ step: 3, loss: Number.NaN });
    await queue.close();
  });
});

describe("openBullQueue()", () => {
  it("rejects URLs of other kinds and names that BullMQ does not take", async () => {
    await expect(openBullQueue(new URL("mysql://me:s3cret@host"), { name: "a" })).rejects.toThrow(
      "Cannot open a queue as its URL must begin with one of redis:, rediss:, postgres:, postgresql:: " +
        "it begins with mysql:",
    );
    for (const name of ["", "a:b"]) {
      await expect(openBullQueue(new URL("redis://host"), { name })).rejects.toThrow(
        `Cannot open a queue as its name must be a text without ":": it is "${name}"`,
      );
    }
  });

  it("says that Redis may lose tasks if it is set to forget what it holds", async (context) => {
    const server = await startRedis(["--maxmemory-policy", "allkeys-lru"]);
    if (server === undefined) return context.skip();
    const said: string[] = [];
    const onTrouble = (sentence: string): void => void said.push(sentence);
    const queue = await openBullQueue(server.url, { name: "forgetful", onTrouble });
    expect(said).toEqual([
      `The queue forgetful at ${placeOf(server.url)} may lose tasks as maxmemory-policy must be noeviction: ` +
        "it is allkeys-lru; set it in redis.conf, or by CONFIG SET",
    ]);
    await queue.close();
    await server.stop();
  });

  it("leaves a reason to read for dashboards, and no secrets in jobs", async (context) => {
    const server = await startRedis();
    if (server === undefined) return context.skip();
    const queue = await openBullQueue(server.url, { name: "plain" });
    const error = describeError(new InputError("Cannot read a.safetensors", { input: "a" }));
    const options = { worker: "near", capacity: 1, ...PATIENCE };
    await queue.serve(async () => ({ kind: "failed", error, again: false }), options);
    await queue.add([makeTask(1)]);
    await untilCounts(queue, [0, 0, 1]);
    const { hostname, port, username, password } = server.url;
    const connection = {
      host: hostname,
      port: Number(port),
      username,
      password: decodeURIComponent(password),
    };
    const plain = new Queue("plain", { connection });
    const [job] = await plain.getFailed();
    expect([job?.name, job?.failedReason]).toEqual(["square", "Cannot read a.safetensors"]);
    expect(JSON.stringify(job)).not.toMatch(SECRETS);
    await plain.close();
    await queue.close();
    await server.stop();
  });
});

describe("importClient()", () => {
  it("says which package to install", async () => {
    const url = new URL("redis://me:s3cret@host:6379/0");
    const clean = createCleaner(url);
    const place = {
      url,
      name: "queue a at redis://host:6379/0",
      clean,
      trouble: createTrouble("queue", clean),
    };
    const missing = Object.assign(new Error("Cannot find package"), { code: "ERR_MODULE_NOT_FOUND" });
    await expect(importClient("ioredis", place, () => Promise.reject(missing))).rejects.toThrow(
      "Cannot open the queue a at redis://host:6379/0 as the npm package ioredis must be installed: it is not; " +
        "run npm install ioredis",
    );
    await expect(importClient("bullmq pg", place, () => Promise.reject(missing))).rejects.toThrow(
      "as the npm package bullmq must be installed: it is not; run npm install bullmq pg",
    );
    const broken = new Error("broken");
    await expect(importClient("ioredis", place, () => Promise.reject(broken))).rejects.toBe(broken);
  });
});

describe("createCleaner()", () => {
  it("takes passwords out of messages, as written and as meant, and leaves what is no secret", () => {
    const url = "postgres://al%20ice:open%2Fsesame@host/db?sslkey=k3y&sslmode=require";
    const clean = createCleaner(new URL(url));
    const error = new Error('no "al ice" open/sesame open%2Fsesame k3y required\n    at line 2');
    expect(clean(error)).toBe('no "al ice" *** *** *** required');
    expect(clean(new Error(`not ${url}`))).toBe("not postgres://host/db");
    expect(clean(new AggregateError([new Error("connect ECONNREFUSED ::1:6379")]))).toBe(
      "connect ECONNREFUSED ::1:6379",
    );
  });

  it("takes a user without a password out of messages of Redis, as it may be one", () => {
    expect(createCleaner(new URL("redis://sesame@host"))(new Error("no sesame"))).toBe("no ***");
    expect(createCleaner(new URL("postgres://alice@host"))(new Error("no alice"))).toBe("no alice");
  });

  it("leaves full stops at the end of messages out, as sentences go on after them", () => {
    const clean = createCleaner(new URL("redis://host"));
    expect(clean(new Error("Connection is closed.\n"))).toBe("Connection is closed");
    expect(clean(new Error("v. 7 starts..."))).toBe("v. 7 starts");
  });
});
