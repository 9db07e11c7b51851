import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { inspect } from "node:util";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { bundleScripts } from "../../../test/helpers/bundle-scripts.mjs";
import { openStorage } from "../src/storage/open-storage.ts";
import { parseS3Location } from "../src/storage/s3/s3-location.ts";
import { openS3Objects, type S3Objects } from "../src/storage/s3/s3-objects.ts";
import { uploadFile } from "../src/storage/s3/upload-file.ts";
import { createWriteOnce } from "../src/storage/s3/write-once.ts";
import type { TaskStorage } from "../src/storage/task-storage.ts";
import { type S3Server, startS3Server } from "./s3-server.ts";
import { describeStorage, PLACE, readFiles, resultOf, taskOf, writeFiles } from "./storage-conformance.ts";

/** Variables that the client of S3 reads; tests of other files do without. */
const CREDENTIALS = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];
let server: S3Server;
let machines = 0;
beforeAll(async () => {
  for (const name of CREDENTIALS) process.env[name] ??= "S3RVER";
  server = await startS3Server(process.env["ISTHMUS_TEST_S3"]);
});
afterAll(async () => {
  for (const name of CREDENTIALS) if (process.env[name] === "S3RVER") delete process.env[name];
  await server.stop();
});

const openMachine = (folder: string): Promise<TaskStorage> =>
  openStorage(server.address(basename(folder)), { cache: join(folder, `machine-${machines++}`) });

describeStorage({ name: "S3", open: openMachine, large: 20_000_000 });

describe("S3 as a storage", () => {
  let folder: string;
  let storage: TaskStorage;
  let objects: S3Objects;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "isthmus-s3-storage-"));
    storage = await openMachine(folder);
    objects = await openS3Objects(parseS3Location(server.address(basename(folder))));
  });
  afterEach(async () => {
    await storage.close();
    objects.close();
    rmSync(folder, { recursive: true });
  });
  const keys = async () => (await objects.list("")).map(({ key }) => key);

  it("goes on on another machine from what an attempt has left", async () => {
    const first = await storage.begin(PLACE, "w 1-ä");
    writeFiles(first, { "a.bin": "abc", "below/b.bin": "b", "cut.bin.tmp": "x" });
    await storage.leave(first, { keep: true });
    const another = await openMachine(folder);
    const second = await another.begin(PLACE, "w2");
    expect(readFiles(second)).toEqual({ "a.bin": "abc", "below/b.bin": "b" });
    expect(await another.publish(second, resultOf("w2"))).toBe(true);
    await another.sweep(PLACE.store);
    const task = `${PLACE.store}/${PLACE.key}`;
    expect(await keys()).toEqual(
      [
        `${task}/result.json`,
        ...["a.bin", "below/b.bin", "time.json"].map((name) => `${task}/~w2/${name}`),
      ].sort(),
    );
    await another.close();
  });

  it("shares a file once, and brings it once", async () => {
    const bytes = randomBytes(9_000_000);
    const digest = createHash("sha256").update(bytes).digest("hex");
    writeFiles(folder, { "model.onnx": bytes, "copy of it.onnx": bytes, "other.onnx": "x" });
    const path = await storage.share({ path: join(folder, "model.onnx"), digest });
    const { written } = (await objects.head(`files/${digest}`))!;
    await storage.share({ path: join(folder, "copy of it.onnx"), digest });
    expect((await objects.head(`files/${digest}`))?.written).toBe(written);
    await expect(
      storage.share({ path: join(folder, "other.onnx"), digest: digest.replace(/./, "x") }),
    ).rejects.toThrow(/digest must be/);
    const opened = await Promise.all([1, 2, 3].map(() => storage.openFile({ path, digest }, taskOf(""))));
    expect(new Set(opened).size).toBe(1);
    expect(readFileSync(opened[0]!).equals(bytes)).toBe(true);
    const { ino } = statSync(opened[0]!);
    expect(statSync(await storage.openFile({ path, digest }, taskOf(""))).ino).toBe(ino);

    writeFiles(storage.root, { [`files/${digest}/model.onnx`]: randomBytes(bytes.length) });
    await storage.openFile({ path, digest }, taskOf(""));
    expect(readFileSync(opened[0]!).equals(bytes)).toBe(true);
  });

  it("uploads a file once for many tasks that share it at the same time", async () => {
    const bytes = randomBytes(1000);
    const digest = createHash("sha256").update(bytes).digest("hex");
    writeFiles(folder, { "a.bin": bytes });
    const file = { path: join(folder, "a.bin"), digest };
    await expect(storage.share({ ...file, path: join(folder, "b.bin") })).rejects.toThrow(/must exist/);
    const paths = await Promise.all([1, 2, 3, 4].map(() => storage.share(file)));
    expect(new Set(paths)).toEqual(new Set([`files/${digest}/a.bin`]));
    const { written } = (await objects.head(`files/${digest}`))!;
    // What another machine shares later is there already.
    await (await openMachine(folder)).share(file);
    expect((await objects.head(`files/${digest}`))?.written).toBe(written);
    // It is not looked at again.
    rmSync(file.path);
    expect(await storage.share(file)).toBe(paths[0]);
  });

  it("refuses an object whose bytes are not those that were shared", async () => {
    const digest = createHash("sha256").update("abc").digest("hex");
    await objects.write(`files/${digest}`, Buffer.from("abd"), {});
    const file = { path: `files/${digest}/a.txt`, digest };
    await expect(storage.openFile(file, taskOf(""))).rejects.toThrow(/digest must be/);
    expect(
      readdirSync(storage.root, { recursive: true }).filter((name) => /a\.txt/.test(String(name))),
    ).toEqual([]);
  });

  it("shows nothing of an attempt whose process is killed while it uploads", async () => {
    const [address] = await bundleScripts([new URL("../src/storage/open-storage.ts", import.meta.url)]);
    const script = `
      import { writeFileSync } from "node:fs";
      import { join } from "node:path";
      import { openStorage } from ${JSON.stringify(address)};
      const storage = await openStorage(${JSON.stringify(server.address(basename(folder)))}, { cache: ${JSON.stringify(join(folder, "killed"))} });
      const folder = await storage.begin(${JSON.stringify(PLACE)}, "w1");
      writeFileSync(join(folder, "small.bin"), "abc");
      writeFileSync(join(folder, "large.bin"), Buffer.alloc(200_000_000));
      console.log("begins");
      await storage.publish(folder, ${JSON.stringify(resultOf("w1"))});
    `;
    const flags = ["--input-type=module", "-e", script];
    const child = spawn(process.execPath, flags, { stdio: ["ignore", "pipe", "inherit"] });
    await once(child.stdout, "data");
    while (!(await keys()).some((key) => key.endsWith("small.bin"))) {
      expect(child.exitCode).toBe(null);
    }
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(await storage.read(PLACE)).toBeUndefined();
    expect((await keys()).filter((key) => /large|result/.test(key))).toEqual([]);
    await expect(storage.collect(PLACE, join(folder, "local"))).rejects.toThrow(/must be published/);
    const attempt = await storage.begin(PLACE, "w2");
    expect(readFiles(attempt)).toEqual({ "small.bin": "abc" });
    expect(await storage.publish(attempt, resultOf("w2"))).toBe(true);
  });

  it("lets one of many write an object, also on servers without conditions", async () => {
    const unconditional: S3Objects = {
      ...objects,
      write: (key, body, { metadata = {} }) => objects.write(key, body, { metadata }),
    };
    // s3rver removes a folder with its last object, and fails to write to it at the same moment.
    await objects.write("stays", Buffer.from(""), {});
    const won = await Promise.all(
      ["a", "b", "c", "d"].map((attempt) =>
        createWriteOnce(unconditional)({ key: "x", body: Buffer.from(attempt), attempt, claims: "claim~" }),
      ),
    );
    expect(won.filter(Boolean)).toHaveLength(1);
    const object = (await objects.head("x"))!;
    expect(object.metadata).toEqual({ attempt: "abcd"[won.indexOf(true)] });
    expect(Buffer.from(await objects.read(object, 0, 1)).toString()).toBe("abcd"[won.indexOf(true)]);
    expect(await keys()).toEqual(["stays", "x"]);
  });

  it("notices parts that do not reach the server as they were sent", async () => {
    const path = join(folder, "large.bin");
    writeFiles(folder, { "large.bin": randomBytes(9_000_000) });
    const damaged: S3Objects = {
      ...objects,
      send: (attempt, key, run) =>
        objects.send(attempt, key, (to) => {
          const send = async (command: { readonly input: { Body?: unknown } }) => {
            if (command instanceof to.sdk.UploadPartCommand) command.input.Body = randomBytes(1000);
            return to.client.send(command as never);
          };
          return run({ ...to, client: { send } as never });
        }),
    };
    await expect(uploadFile(damaged, "x", path, "none")).rejects.toThrow(/bytes that were sent|BadDigest/);
    expect(await objects.head("x")).toBeUndefined();
    await uploadFile(objects, "x", path, "none");
    expect((await objects.head("x"))?.size).toBe(9_000_000);
  });

  it("says nothing of the credentials that a server refuses", async () => {
    const [id, secret] = ["HIDDENID", "hidden-secret"];
    vi.stubEnv("AWS_ACCESS_KEY_ID", id);
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", secret);
    const error = await openMachine(folder).catch((caught: unknown) => caught as Error);
    const stranger = await openS3Objects(parseS3Location(server.address("x")));
    await stranger.reach().catch(() => {});
    vi.unstubAllEnvs();
    expect(JSON.stringify(stranger)).not.toMatch(/hidden/i);
    stranger.close();
    expect(String(error)).toMatch(/credentials must permit it.*set AWS_ACCESS_KEY_ID/);
    expect(inspect(error, { depth: 10, showHidden: true })).not.toMatch(/hidden/i);
  });

  it("says what is wrong with an address or a server, and never a secret", async () => {
    const open = (address: string) => openStorage(address, { cache: join(folder, "cache") });
    for (const address of ["s3:", "s3://", "s3://b/x?secret=1", "s3://b?endpoint=x", "s3://b/../x//y"]) {
      await expect(open(address)).rejects.toThrow(/must (be like s3:|lie within)/);
    }
    for (const address of ["s3://me:hidden@b/x", "s3://b?endpoint=http://me:hidden@127.0.0.1:1"]) {
      await expect(open(address)).rejects.toThrow(/user name or a password/);
      await expect(open(address)).rejects.not.toThrow(/hidden/);
    }
    await expect(open("s3://b/x?endpoint=http://127.0.0.1:1")).rejects.toThrow(
      /^Cannot open "s3:\/\/b\/x\/" as the server must be reachable: ECONNREFUSED/,
    );
    await expect(open(server.address("x").replace("s3://", "s3://no-such-"))).rejects.toThrow(
      /^Cannot open "s3:.*bucket must exist/,
    );
  });
});
