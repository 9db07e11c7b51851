import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../../../test/helpers/free-port.ts";
import { killProcess, type StartedServer, startProcess, warnSkipped } from "./start-process.ts";

const PROGRAMS = ["/usr/bin/redis-server", "/usr/local/bin/redis-server", "/opt/homebrew/bin/redis-server"];

/**
 * Starts a Redis for tests; undefined, with a warning, if there is none on this machine.
 * @param settings - more of its options, as on the command line
 */
export async function startRedis(settings: readonly string[] = []): Promise<StartedServer | undefined> {
  const program = PROGRAMS.find((path) => existsSync(path));
  if (program === undefined) {
    return warnSkipped("redis-server is not installed", "queues in Redis");
  }
  const folder = mkdtempSync(join(tmpdir(), "isthmus-redis-"));
  const port = await freePort();
  const password = "open sesame/7";
  const args = ["--port", String(port), "--bind", "127.0.0.1", "--dir", folder];
  args.push("--save", "", "--appendonly", "yes", "--appendfsync", "always", "--requirepass", password);
  args.push("--maxmemory-policy", "noeviction", ...settings);
  const start = () => startProcess(program, args, { ready: /Ready to accept connections/ });
  try {
    let child = await start();
    const url = new URL(`redis://127.0.0.1:${port}/0`);
    url.username = "default";
    url.password = password;
    return {
      url,
      pid: () => Number(child.pid),
      kill: () => killProcess(child),
      async restart() {
        child = await start();
      },
      async stop() {
        await killProcess(child);
        rmSync(folder, { recursive: true, force: true });
      },
    };
  } catch (error) {
    return warnSkipped(`cannot start redis-server: ${String(error)}`, "queues in Redis");
  }
}
