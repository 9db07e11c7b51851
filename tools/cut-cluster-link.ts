// Runs a study on two hosts, which are network namespaces of this machine, and cuts the link between them for a minute: the study
// must end with the bytes that threads give. Needs Linux, root, iproute2 and redis-server.
//
//   sudo npx tsx --conditions=@isthmus/source tools/cut-cluster-link.ts [--seconds 60] [--networks 36]
//
// Host one has Redis, the command that waits, and a worker; host two has a worker alone. The folder for files is on a disk that both see, which
// is not cut. Prints lines of JSON, and ends with 1 if the bytes differ.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { parseArgs } from "node:util";
import { at } from "@isthmus/core";
import { startProcess } from "../packages/distributed/test/start-process.ts";
import { digestTree } from "./cluster/digest-tree.ts";
import { runCommand, startCommand } from "./cluster/program.ts";
import { writeSmallStudy } from "./cluster/small-study.ts";

const { values } = parseArgs({
  options: { seconds: { type: "string", default: "60" }, networks: { type: "string", default: "36" } },
});
const HOSTS = ["isthmus-one", "isthmus-two"] as const;
const folder = mkdtempSync(join(tmpdir(), "isthmus-cut-"));
const study = writeSmallStudy(folder, { networks: Number(values.networks) });
const address = "redis://10.77.0.1:6390";
const on = (host: string) => ["ip", "netns", "exec", host] as const;
const ip = (...words: string[]): void => void execFileSync("ip", words, { stdio: "pipe" });

await runCommand(["study", study, "-o", "threads", "--quiet"], folder);
const expected = digestTree(join(folder, "threads"));
setUp();
const [program, ...words] = on(HOSTS[0]);
const redis = await startProcess(
  program,
  [
    ...[...words, "redis-server", "--port", "6390", "--bind", "10.77.0.1", "--protected-mode", "no"],
    ...["--save", "", "--dir", folder, "--maxmemory-policy", "noeviction"],
  ],
  { ready: /Ready to accept connections/ },
);
try {
  process.exitCode = (await run()) ? 0 : 1;
} finally {
  redis.kill("SIGKILL");
  tearDown();
  rmSync(folder, { recursive: true, force: true });
}

/** Runs the study while the link is cut; returns whether its bytes are as they must be. */
async function run(): Promise<boolean> {
  const began = performance.now();
  const since = (): number => Number(((performance.now() - began) / 1000).toFixed(1));
  const where = ["--queue", address, "--storage", folder];
  const workers = HOSTS.map((host) =>
    startCommand(["worker", ...where, "--concurrency", "1", "--name", host, "--lease", "6"], {
      cwd: folder,
      before: on(host),
    }),
  );
  const waiting = startCommand(["study", study, "-o", join(folder, "queued"), ...where], {
    cwd: folder,
    before: on(HOSTS[0]),
  });
  while (!workers.every((worker) => worker.output().includes("began"))) await setTimeout(100);
  ip("netns", "exec", HOSTS[1], "ip", "link", "set", "isthmus-b", "down");
  console.log(JSON.stringify({ cut: since() }));
  const mend = setTimeout(Number(values.seconds) * 1000).then(() => {
    ip("netns", "exec", HOSTS[1], "ip", "link", "set", "isthmus-b", "up");
    console.log(JSON.stringify({ mended: since() }));
  });
  const code = await waiting.ended;
  console.log(JSON.stringify({ ended: since(), code }));
  await mend;
  for (const worker of workers) worker.signal("SIGTERM");
  await Promise.all(workers.map(({ ended }) => ended));
  const done = workers.map((worker) => Number(/(\d+) done/.exec(worker.output())?.[1]));
  const trouble = workers[1]
    ?.output()
    .split("\n")
    .filter((line) => !/ (began|done|serves|released) |work$/.test(line));
  const same = code === 0 && digestTree(join(folder, "queued")) === expected;
  console.log(JSON.stringify({ same, done, trouble: trouble?.slice(0, 5) }));
  return same;
}

function setUp(): void {
  tearDown();
  for (const host of HOSTS) ip("netns", "add", host);
  ip("link", "add", "isthmus-a", "type", "veth", "peer", "name", "isthmus-b");
  for (const [index, host] of HOSTS.entries()) {
    const device = at(["isthmus-a", "isthmus-b"], index, "device");
    ip("link", "set", device, "netns", host);
    ip("netns", "exec", host, "ip", "addr", "add", `10.77.0.${index + 1}/24`, "dev", device);
    ip("netns", "exec", host, "ip", "link", "set", device, "up");
    ip("netns", "exec", host, "ip", "link", "set", "lo", "up");
  }
}

function tearDown(): void {
  for (const host of HOSTS) {
    try {
      ip("netns", "del", host);
    } catch {
      // It is not there.
    }
  }
}
