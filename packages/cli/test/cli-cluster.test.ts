// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of the study
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { QueueDescription } from "@isthmus/distributed";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { encodeStripes } from "../../../test/helpers/encode-stripes.ts";
import { runAlone, runCli, runJson } from "../../../test/helpers/run-cli.ts";
import {
  type ClusterFolder,
  countDone,
  makeClusterFolder,
  withoutNote,
  writeNetworks,
} from "./cluster-folder.ts";

const STUDY = `title: Stripes
description: Barriers between networks on images of stripes.
networks:
  mlps: { for: { seed: 0..2 }, net: "mlp:4", data: "npz:stripes.npz:train", seed: "\${seed}", epochs: 3, batch: 16 }
measurements:
  barriers: { kind: barrier, between: mlps, align: weight, data: "npz:stripes.npz:test", points: 5 }
tables: {}
`;

let cluster: ClusterFolder;
let folder: string;
beforeEach(() => {
  cluster = makeClusterFolder();
  folder = cluster.folder;
  writeFileSync(join(cluster.work, "stripes.yaml"), STUDY);
});
afterEach(() => cluster.remove());

const study = (output: string, ...more: string[]) =>
  runCli(["study", "stripes.yaml", "-o", join(folder, output), "-q", ...more], { cwd: cluster.work });
const resultsOf = (output: string) =>
  readdirSync(join(folder, output, "tasks"))
    .filter((name) => !name.startsWith("."))
    .map((key) => [key, readFileSync(join(folder, output, "tasks", key, "result.json"), "utf8")]);

describe("isthmus worker", () => {
  it("worker: two of them run a study from a folder alone, to the bytes that threads give", async () => {
    const workers = [cluster.startWorker("one"), cluster.startWorker("two")];
    const queued = await study("queued", ...cluster.where);
    cluster.stopWorkers();
    expect([queued.code, withoutNote(queued.stderr)]).toEqual([0, ""]);
    expect((await study("threads")).code).toBe(0);
    expect(resultsOf("queued")).toEqual(resultsOf("threads"));
    const [queuedJson, threadsJson] = ["queued", "threads"].map((output) =>
      readFileSync(join(folder, output, "study.json")),
    );
    expect(queuedJson).toEqual(threadsJson);
    expect(readFileSync(join(folder, "queued", "study.html"), "utf8")).toContain("Where it ran");
    expect(readdirSync(join(folder, "queued", "tasks")).filter((name) => name.startsWith("."))).toEqual([]);
    const runs = await Promise.all(workers);
    expect(runs.map(({ code }) => code)).toEqual([0, 0]);
    expect(countDone(runs)).toBe(9);
    const status = await runJson<QueueDescription>(["queue", "status", ...cluster.queue]);
    expect(status).toMatchObject({ counts: { waiting: 0, running: 0, failed: 0 }, workers: [] });
  });

  it("worker: says that another worker has its name", async () => {
    let said = "";
    const first = await runAlone(
      ["worker", ...cluster.where, "--name", "one", "--concurrency", "1", "--idle", "60"],
      {
        cwd: folder,
        onStart: (child) => {
          child.stderr?.on("data", (text) => {
            if (!String(text).includes("serves")) return;
            cluster.startWorker("one", "--idle", "0").then(({ stderr }) => {
              said = stderr;
              child.kill("SIGTERM");
            });
          });
        },
      },
    );
    expect(first.code).toBe(0);
    expect(said).toMatch(/^one: another worker of this name was seen \d+ s ago; .*another --name$/m);
    expect(first.stderr).not.toMatch(/another worker/);
  });

  it("worker: sets aside at once what it must not run, and says why", async () => {
    const outside = STUDY.replaceAll("npz:stripes", `npz:${folder}-x/stripes`);
    mkdirSync(`${folder}-x`);
    writeFileSync(join(`${folder}-x`, "stripes.npz"), encodeStripes());
    writeFileSync(join(cluster.work, "stripes.yaml"), outside);
    try {
      const worker = cluster.startWorker("one");
      const run = await study("queued", ...cluster.where);
      cluster.stopWorkers();
      expect(run.code).toBe(2);
      expect(run.stdout + run.stderr).toMatch(/must lie within the storage/);
      expect((await worker).stdout).toMatch(/0 done, 3 failed/);
      const { failed } = await runJson<QueueDescription>(["queue", "status", ...cluster.queue]);
      expect(failed).toHaveLength(3);
      const text = await runCli(["queue", "cancel", "--all", ...cluster.queue]);
      expect(text.stdout).toMatch(/^3 tasks were cancelled; /);
    } finally {
      rmSync(`${folder}-x`, { recursive: true });
    }
  });

  it("worker: lets its task end when it is told to stop, or gives it back", async () => {
    const waiting = study("queued", ...cluster.where).finally(cluster.stopWorkers);
    const stopped = await runAlone(
      ["worker", ...cluster.where, "--name", "one", "--concurrency", "1", "--grace", "0"],
      {
        cwd: folder,
        onStart: (child) => {
          child.stderr?.on("data", (text) => {
            if (String(text).includes("began")) child.kill("SIGTERM");
          });
        },
      },
    );
    expect(stopped.code).toBe(0);
    expect(stopped.stdout).toMatch(/one: (0 done, 0 failed, 1 given back|1 done, 0 failed, 0 given back)/);
    const [other, run] = await Promise.all([cluster.startWorker("two"), waiting]);
    expect([other.code, run.code]).toEqual([0, 0]);
  });

  it("study: refuses a queue without a storage, and results that workers would not see", async () => {
    const alone = await study("queued", ...cluster.queue);
    expect([alone.code, alone.stderr]).toEqual([
      2,
      expect.stringMatching(/must find its files: add --storage/),
    ]);
    for (const [option = "", ...words] of [
      ["--workers", "study", "stripes.yaml", "--workers", "2"],
      ["--workers", "federate", "simulate", "attacks", "--workers", "2"],
      ["--threads", "merge", "recipe.yml", "-o", "merged", "--threads", "2"],
    ]) {
      const both = await runCli([...words, ...cluster.where], { cwd: cluster.work });
      expect([both.code, both.stderr]).toEqual([
        2,
        expect.stringMatching(`Cannot use ${option} with --queue as workers of the queue decide`),
      ]);
    }
    const unused = await study("queued", "--storage", folder);
    expect(unused.stderr).toMatch(/add --queue/);
    const missing = await study("queued", ...cluster.queue, "--storage", join(folder, "none"));
    expect([missing.code, missing.stderr]).toEqual([
      2,
      expect.stringMatching(/there is none; make it, or mount it/),
    ]);
    mkdirSync(join(folder, "other"));
    const elsewhere = await study("queued", ...cluster.queue, "--storage", join(folder, "other"));
    expect([elsewhere.code, elsewhere.stderr]).toEqual([
      2,
      expect.stringMatching(/must lie in the folder that all of them see/),
    ]);
    const strange = await study("queued", "--queue", "amqp://host", "--storage", folder);
    expect([strange.code, strange.stderr]).toEqual([
      2,
      expect.stringMatching(/must begin with redis:\/\/.*amqp:\/\//),
    ]);
  });
});

describe("isthmus study", () => {
  it("study, worker: end at once where a storage cannot be reached", async () => {
    const where = [...cluster.queue, "--storage", "s3://bucket/x?endpoint=http://127.0.0.1:1"];
    const env = { AWS_ACCESS_KEY_ID: "none", AWS_SECRET_ACCESS_KEY: "none", HOME: folder };
    const folderCache = await runCli(["worker", ...cluster.where, "--cache", "5GB"]);
    expect([folderCache.code, folderCache.stderr]).toEqual([2, expect.stringMatching(/--cache as .*s3:/)]);
    for (const args of [
      ["study", "stripes.yaml"],
      ["worker", "--idle", "60"],
    ]) {
      const run = await runAlone([...args, ...where], { cwd: cluster.work, env });
      expect([run.code, run.stderr]).toEqual([2, expect.stringMatching(/as the server must be reachable/)]);
    }
  });

  it("study: says again and again that it waits where nothing happens", async () => {
    const waiting = await runAlone(
      ["study", "stripes.yaml", "-o", join(folder, "queued"), ...cluster.where],
      {
        cwd: cluster.work,
        onStart: (child) => {
          let text = "";
          child.stderr?.on("data", (more) => {
            const lines = text.split("0 done, 0 running, 9 left").length - 1;
            text += more;
            // Only once: a second signal would end it at once.
            if (lines < 2 && text.split("0 done, 0 running, 9 left").length > 2) child.kill("SIGINT");
          });
        },
      },
    );
    expect(waiting.code).toBe(130);
    expect(waiting.stderr).toMatch(/No worker serves/);
  });
});

describe("isthmus merge --queue", () => {
  it("merge: workers write pieces into the output of a shared folder, to the bytes that threads give", async () => {
    const { work } = cluster;
    await writeNetworks(work, [0, 1]);
    writeFileSync(
      join(work, "slerp.yml"),
      "merge_method: slerp\nbase_model: net-0.safetensors\nparameters: { t: 0.3 }\nmodels: [{ model: net-0.safetensors }, { model: net-1.safetensors }]\n",
    );
    const merge = (output: string, ...more: string[]) =>
      runCli(["merge", "slerp.yml", "-o", output, "-q", ...more], { cwd: work });
    const workers = [cluster.startWorker("one"), cluster.startWorker("two")];
    expect((await merge("queued.safetensors", ...cluster.where)).code).toBe(0);
    cluster.stopWorkers();
    expect((await merge("threads.safetensors")).code).toBe(0);
    const [queued, threads] = ["queued", "threads"].map((name) =>
      readFileSync(join(work, `${name}.safetensors`)),
    );
    expect(queued).toEqual(threads);
    expect(readdirSync(work).filter((name) => name.startsWith("."))).toEqual([]);
    expect(countDone(await Promise.all(workers))).toBe(1);
  });
});

describe("isthmus queue", () => {
  it("queue: cancels what waits, and tells which tasks must be named", async () => {
    const { queue } = cluster;
    const left = await runAlone(["study", "stripes.yaml", "-o", join(folder, "queued"), ...cluster.where], {
      cwd: cluster.work,
      onStart: (child) => {
        const look = setInterval(() => {
          const shards = join(folder, "queue", "waiting");
          const tokens = existsSync(shards) ? readdirSync(shards, { recursive: true }) : [];
          if (child.exitCode === null && tokens.filter((name) => String(name).includes("-")).length < 3)
            return;
          clearInterval(look);
          child.kill("SIGINT");
        }, 50);
      },
    });
    expect([left.code, left.stderr]).toEqual([
      130,
      expect.stringMatching(/workers go on with the tasks in the queue/),
    ]);
    const text = await runCli(["queue", "status", ...queue]);
    expect(text.stdout).toMatch(/: 3 waiting, 0 running, 0 failed; 0 workers/);
    expect((await runCli(["queue", "cancel", ...queue])).stderr).toMatch(
      /name them by their ids, or all of them by --all/,
    );
    for (const verb of ["cancel", "retry"]) {
      const [known = ""] = readdirSync(join(folder, "queue", "waiting"), {
        recursive: true,
        encoding: "utf8",
      })
        .filter((name) => name.includes("-"))
        .map((name) => basename(name));
      const refused = await runCli(["queue", verb, known, "nothing-0", "nothing-1", ...queue]);
      expect([refused.code, refused.stderr]).toEqual([
        2,
        expect.stringMatching(
          /it has no nothing-0, nothing-1; it holds 3 waiting, 0 running, 0 failed, such as /,
        ),
      ]);
      expect(refused.stderr).toContain(known);
    }
    expect((await runCli(["queue", "drain", ...queue])).stdout).toMatch(/3 waiting tasks were taken out/);
    expect((await runCli(["queue", "watch", ...queue])).stdout).toMatch(/0 waiting, 0 running, 0 failed/);
    const gone = await runCli(["queue", "retry", "nothing-0", ...queue]);
    expect([gone.code, gone.stderr]).toEqual([
      2,
      expect.stringMatching(/it holds 0 waiting, 0 running, 0 failed; finished tasks are forgotten/),
    ]);
  });
});
