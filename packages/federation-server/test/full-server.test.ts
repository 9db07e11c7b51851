import { type FileHandle, open } from "node:fs/promises";
import { InputError } from "@isthmus/core";
import { afterEach, describe, expect, it, vi } from "vitest";
import { createInlineWorkers } from "../src/work/workers.ts";
import { makeUpdate, type SmallOptions } from "./small-federation.ts";
import { createServing, type ServedSmall } from "./start-server.ts";

const serving = createServing();
afterEach(async () => {
  vi.restoreAllMocks();
  await serving.close();
});

const ONE_ROUND: SmallOptions = { clients: ["ada", "bea"], plan: { rounds: 1 } };
const FULL = /^The disk of the server must have room: it is full; ask again/;

/** Lets what is appended to files end in the middle, as on a disk that is full, until the returned function is called. */
async function fillDisk(path: string): Promise<() => void> {
  const handle = await open(path);
  const prototype = Object.getPrototypeOf(handle) as Pick<FileHandle, "appendFile">;
  await handle.close();
  const append = prototype.appendFile;
  const spy = vi.spyOn(prototype, "appendFile").mockImplementation(async function (this: FileHandle, data) {
    await append.call(this, data.slice(0, data.length / 2));
    throw Object.assign(new Error("no room"), { code: "ENOSPC" });
  });
  return () => spy.mockRestore();
}

/** Returns the answer to a client that asks for its task. */
async function ask(federation: ServedSmall, name: string) {
  const answer = await federation.client(name).request("GET", "/v1/rounds/current");
  return { status: answer.status, ...((await answer.json()) as { task?: string; error?: string }) };
}

/** Lets all clients take part in the only round. */
async function takePart(federation: ServedSmall): Promise<void> {
  for (const name of federation.tokens.keys()) await federation.client(name).task();
  for (const name of federation.tokens.keys()) {
    const client = federation.client(name);
    const body = await makeUpdate(name, 1, await client.model((await client.task(5)).network));
    await client.upload(body);
    expect((await client.send(1, body)).status).toBe(200);
  }
}

describe("a server whose disk is full", () => {
  it("tells clients so while its journal has no room, and goes on after the last whole line", async () => {
    const whole = await serving.serve(ONE_ROUND);
    await takePart(whole);
    const { network } = await whole.server.finished;
    const federation = await serving.serve(ONE_ROUND);
    const empty = await fillDisk(federation.config.network);
    for (const name of ["ada", "bea", "ada"])
      expect(await ask(federation, name)).toEqual({ status: 503, error: expect.stringMatching(FULL) });
    // What was asked for happens once there is room.
    empty();
    await expect.poll(async () => (await ask(federation, "bea")).status, { timeout: 5000 }).toBe(200);
    expect(Object.keys(federation.server.state.members)).toEqual(["ada", "bea"]);
    await takePart(federation);
    expect((await federation.server.finished).network).toBe(network);
    await federation.server.close();
    const { server } = await serving.reopen(federation);
    expect(server.state.network).toBe(network);
  });

  it("ends while its journal has no room", async () => {
    const federation = await serving.serve(ONE_ROUND);
    await fillDisk(federation.config.network);
    expect((await ask(federation, "ada")).status).toBe(503);
    await federation.server.close();
    vi.restoreAllMocks();
    const again = await serving.reopen(federation);
    expect(again.server.state.members).toEqual({});
  });

  it("tells clients so while a network has no room, and aggregates once it has", async () => {
    const workers = createInlineWorkers();
    let free = false;
    const federation = await serving.serve(ONE_ROUND, {
      ...workers,
      aggregate(request, signal) {
        if (free) return workers.aggregate(request, signal);
        const full = new InputError("Cannot write", { input: "x", cause: { code: "ENOSPC" } });
        return Promise.reject(full);
      },
    });
    await takePart(federation);
    await expect
      .poll(() => ask(federation, "ada"))
      .toEqual({ status: 503, error: expect.stringMatching(FULL) });
    free = true;
    await federation.server.finished;
    await expect.poll(async () => (await ask(federation, "ada")).task).toBe("finished");
  });
});
