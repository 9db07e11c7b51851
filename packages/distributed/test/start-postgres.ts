import { execFileSync, type SpawnOptions } from "node:child_process";
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { freePort } from "../../../test/helpers/free-port.ts";
import { killProcess, type StartedServer, startProcess, warnSkipped } from "./start-process.ts";

const FOLDERS = ["/usr/lib/postgresql", "/opt/homebrew/opt", "/usr/local/opt"];

/** Starts a PostgreSQL for tests; undefined, with a warning, if there is none on this machine. */
export async function startPostgres(): Promise<StartedServer | undefined> {
  const programs = findPrograms();
  if (programs === undefined) {
    return warnSkipped("postgresql is not installed", "queues in PostgreSQL");
  }
  try {
    return await startServer(programs);
  } catch (error) {
    return warnSkipped(`cannot start postgresql: ${String(error)}`, "queues in PostgreSQL");
  }
}

/** Finds the folder of the newest version. */
function findPrograms(): string | undefined {
  const folders = FOLDERS.filter((folder) => existsSync(folder)).flatMap((folder) =>
    readdirSync(folder).map((version) => join(folder, version, "bin")),
  );
  return folders
    .filter((folder) => existsSync(join(folder, "initdb")))
    .sort()
    .at(-1);
}

async function startServer(programs: string): Promise<StartedServer> {
  const folder = mkdtempSync(join(tmpdir(), "isthmus-postgres-"));
  const user = "tester";
  const password = "open sesame/7";
  const secret = join(folder, "password");
  writeFileSync(secret, password);
  const owner = chooseOwner();
  for (const path of owner.uid === undefined ? [] : [folder, secret]) {
    chownSync(path, owner.uid ?? 0, owner.gid ?? 0);
  }
  const data = join(folder, "data");
  const method = ["--auth=scram-sha-256", `--username=${user}`, `--pwfile=${secret}`];
  execFileSync(
    join(programs, "initdb"),
    ["-D", data, "--no-sync", "--encoding=UTF8", "--locale=C", ...method],
    {
      ...owner,
      cwd: folder,
      stdio: ["ignore", "ignore", "pipe"],
    },
  );
  const port = await freePort();
  const args = ["-D", data, "-p", String(port), "-h", "127.0.0.1", "-k", folder, "-c", "max_connections=200"];
  const start = () =>
    startProcess(join(programs, "postgres"), args, {
      ...owner,
      cwd: folder,
      ready: /ready to accept connections/,
    });
  let child = await start();
  const url = new URL(`postgres://127.0.0.1:${port}/postgres`);
  url.username = user;
  url.password = password;
  return {
    url,
    pid: () => Number(child.pid),
    kill: () => killProcess(child),
    // Its own processes end a moment after it, and hold the memory until then that it needs to start again.
    async restart() {
      for (let tries = 50; ; tries--) {
        const started = await start().catch((error: unknown) => error as Error);
        if (!(started instanceof Error)) {
          child = started;
          return;
        }
        if (tries === 0) throw started;
        await setTimeout(200);
      }
    },
    async stop() {
      await killProcess(child, "SIGQUIT");
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** PostgreSQL refuses to run as root: another user of the system must own it then. */
function chooseOwner(): Pick<SpawnOptions, "uid" | "gid"> {
  if (process.getuid?.() !== 0) return {};
  const name = ["postgres", "nobody"].find((user) => idOf(user, "-u") !== undefined);
  if (name === undefined) throw new Error("there is no user who could run it");
  const [uid, gid] = [idOf(name, "-u"), idOf(name, "-g")];
  if (uid === undefined || gid === undefined) throw new Error(`${name} has no number`);
  return { uid, gid };
}

function idOf(user: string, option: "-u" | "-g"): number | undefined {
  try {
    return Number(execFileSync("id", [option, user], { encoding: "utf8", stdio: "pipe" }));
  } catch {
    return undefined;
  }
}
