import { type ChildProcess, execFileSync } from "node:child_process";
import { chownSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import type { QueueServer } from "../../../packages/distributed/bench/measure-queue.ts";
import { killProcess, startProcess } from "../../../packages/distributed/test/start-process.ts";
import { freePort } from "../../../test/helpers/free-port.ts";
import { processorSeconds } from "../../cluster/processes.ts";

/** A server of a queue that runs for a measurement only. */
export interface RunningServer {
  readonly server: QueueServer;
  /** Returns the seconds of processors that all its processes have taken. */
  processorSeconds(): number;
  stop(): Promise<void>;
}

/** Starts a Redis that keeps nothing, on a port that is free. */
export async function startRedis(): Promise<RunningServer> {
  const folder = mkdtempSync(join(tmpdir(), "isthmus-redis-"));
  const port = await freePort();
  const args = ["--port", String(port), "--save", "", "--appendonly", "no", "--dir", folder];
  const child = await startProcess("redis-server", args, { ready: /Ready to accept connections/ });
  return running({ kind: "redis", port }, child, folder);
}

/** Starts a PostgreSQL with its usual settings, on a port that is free; as the user postgres if need be. */
export async function startPostgres(): Promise<RunningServer> {
  const folder = mkdtempSync(join(tmpdir(), "isthmus-postgres-"));
  const user = process.getuid?.() === 0 ? userOf("postgres") : {};
  if (user.uid !== undefined && user.gid !== undefined) chownSync(folder, user.uid, user.gid);
  const port = await freePort();
  execFileSync("initdb", ["-D", folder, "-U", "postgres", "-A", "trust"], {
    stdio: "ignore",
    cwd: folder,
    ...user,
  });
  const args = ["-D", folder, "-p", String(port), "-h", "127.0.0.1", "-k", folder];
  const ready = /ready to accept connections/;
  const child = await startProcess("postgres", args, { ready, cwd: folder, ...user });
  const connection = `postgres://postgres@127.0.0.1:${port}/postgres`;
  return running({ kind: "postgres", connection }, child, folder);
}

function running(server: QueueServer, child: ChildProcess, folder: string): RunningServer {
  return {
    server,
    processorSeconds: () => processorSeconds(Number(child.pid)),
    async stop() {
      // Clients that were closed leave a moment later.
      await setTimeout(1000);
      await killProcess(child, "SIGINT");
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function userOf(name: string): { readonly uid?: number; readonly gid?: number } {
  const id = (flag: string): number => Number(execFileSync("id", [flag, name], { encoding: "utf8" }));
  return { uid: id("-u"), gid: id("-g") };
}
