import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it, vi } from "vitest";
import { makeTask } from "../../../test/make-task.ts";
import { describeQueue } from "../../../test/queue-conformance.ts";
import { openQueue } from "../open-queue.ts";
import { digestStore } from "../queued-task.ts";
import { openFolderQueue } from "./open-folder-queue.ts";

const folder = mkdtempSync(join(tmpdir(), "isthmus-folder-queue-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let places = 0;

describeQueue("openFolderQueue()", async () => {
  const place = join(folder, String(places++));
  return { open: () => openFolderQueue(place), elsewhere: { address: place, name: "" } };
});

/** Names of files in the folder of waiting tasks whose names begin with `a`. */
const STRANGE: Readonly<Record<string, (path: string) => void>> = {
  aapipe: (path) => void execFileSync("mkfifo", [path]),
  aafolder: (path) => void mkdirSync(path),
  aadevice: (path) => void symlinkSync("/dev/zero", path),
  aalink: (path) => void symlinkSync("/etc/passwd", path),
  aadamaged: (path) => void writeFileSync(path, "{"),
  aadeep: (path) => void writeFileSync(path, "[".repeat(200_000)),
  aaempty: (path) => void writeFileSync(path, "{}"),
  aaother: (path) => void writeFileSync(path, tokenText({ id: "aa" })),
  aastore: (path) => void writeFileSync(path, tokenText({ id: "aastore", store: undefined })),
  aacount: (path) => void writeFileSync(path, tokenText({ id: "aacount" }, { deaths: -5 })),
};

/** The same in other folders of the queue; the last is none that a task could have. */
const ELSEWHERE = [
  ["running", "aarunning"],
  ["expired", "1~aaexpired"],
  ["delayed", "1~aadelayed"],
  ["running", "1~aapipe"],
] as const;
const STRANGE_TASKS = Object.keys(STRANGE).length + ELSEWHERE.length - 1;

const tokenText = (change: object, counts: object = {}): string =>
  JSON.stringify({ task: { ...makeTask(0), ...change }, attempts: 0, deaths: 0, ...counts });

describe("openFolderQueue() with strange files", () => {
  it("leaves files alone that are no tasks, and moves away once what lies in place of one", async () => {
    const place = join(folder, "strange");
    const queue = await openFolderQueue(place);
    writeFileSync(join(place, "waiting", "1", "zzz.json"), "{}");
    for (const [name, make] of Object.entries(STRANGE)) make(join(place, "waiting", "a", name));
    for (const [folder, name] of ELSEWHERE) STRANGE["aapipe"]?.(join(place, folder, name));
    writeFileSync(join(place, "delayed", "1~.."), "{}");
    // Whoever looks at the queue meanwhile is not stopped by any of it.
    expect(await queue.list("waiting", 100)).toEqual([]);
    const told: string[] = [];
    const done: string[] = [];
    const server = await queue.serve(
      async ({ id }) => {
        done.push(id);
        return { kind: "done", seconds: 0 };
      },
      {
        ...{ worker: "one", capacity: 1, lease: 300, pause: 20 },
        onTrouble: (sentence) => told.push(sentence),
      },
    );
    const right = makeTask(1);
    await queue.add([right]);
    await vi.waitFor(() => expect(readdirSync(join(place, "waiting", "a"))).toEqual([]), 20_000);
    await vi.waitFor(() => expect(readdirSync(join(place, "damaged"))).toHaveLength(STRANGE_TASKS), 20_000);
    await vi.waitFor(() => expect(done).toEqual([right.id]));
    await server.drain();
    expect(readdirSync(join(place, "waiting", "1"))).toContain("zzz.json");
    expect([...readdirSync(join(place, "running")), ...readdirSync(join(place, "expired"))]).toEqual([
      "1~aapipe",
    ]);
    for (const name of Object.keys(STRANGE))
      expect(told.filter((one) => one.includes(`${name}"`))).toHaveLength(1);
    expect(told.find((one) => one.includes('aastore"'))).toMatch(
      /its "store" must be text: it is missing; it lies in/,
    );
    await queue.close();
  }, 60_000);

  it("hears of events beside what is none", async () => {
    const place = join(folder, "events");
    const queue = await openFolderQueue(place);
    const task = makeTask(2);
    const heard: string[] = [];
    const unfollow = await queue.follow(task.store, ({ kind }) => heard.push(kind));
    const events = join(place, "events", digestStore(task.store));
    mkdirSync(events, { recursive: true });
    STRANGE["aapipe"]?.(join(events, "0-pipe"));
    STRANGE["aafolder"]?.(join(events, "0-folder"));
    for (const text of ["null", "{", '{"kind":5}']) writeFileSync(join(events, `0-${text.length}`), text);
    const server = await queue.serve(async () => ({ kind: "done", seconds: 0 }), {
      worker: "one",
      capacity: 1,
    });
    await queue.add([task]);
    await vi.waitFor(() => expect(heard).toContain("done"), 20_000);
    await server.drain();
    await unfollow();
    await queue.close();
  }, 60_000);
});

describe("openQueue()", () => {
  it.each([
    ["../../../x", /its "id" must be a hexadecimal digit and up to 199/],
    ["", /its "id" must be/],
    ["a/b", /its "id" must be/],
    [`a${"b".repeat(200)}`, /its "id" must be/],
    [5, /its "id" must be text: it is 5/],
  ])("refuses to add a task with the id %j, before anything is written", async (id, message) => {
    const place = join(folder, "checked");
    const queue = await openQueue(place);
    await expect(queue.add([{ ...makeTask(3), id: id as string }])).rejects.toThrow(message);
    expect(await queue.count()).toEqual({ waiting: 0, running: 0, failed: 0 });
    expect(readdirSync(join(place, "temporary"))).toEqual([]);
    await queue.close();
  });
});
