import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { type AloneOptions, type CliRun, runAlone, runCli } from "../../../test/helpers/run-cli.ts";
import { startS3Server } from "../../distributed/test/s3-server.ts";
import { createStops, waitForTask } from "./cluster-folder.ts";

/** Machines of a test, each with its own folders, that have nothing in common but a queue and a bucket. */
export interface S3Cluster {
  /** Folder of whoever waits. */
  readonly work: string;
  /** Starts a worker as soon as there is a task; it ends when there is nothing more to do. */
  startWorker(name: string): Promise<CliRun>;
  /** Tells workers that nothing more is to do: by themselves they end some seconds after the last task. */
  stopWorkers(): void;
  /** Runs a command that lets workers do its work, in the folder of whoever waits. */
  run(...args: string[]): Promise<CliRun>;
  /** Does so in a process of its own. */
  runAlone(args: readonly string[], options?: Pick<AloneOptions, "onStart">): Promise<CliRun>;
  /** Lists the files in which the server holds objects, but for those that were shared. */
  listPublished(): readonly string[];
  remove(): Promise<void>;
}

/** What s3rver knows whoever asks by. */
const CREDENTIALS = { AWS_ACCESS_KEY_ID: "S3RVER", AWS_SECRET_ACCESS_KEY: "S3RVER" };

/** Ending of the name of the file in which the server holds the bytes of an object. */
const OBJECT = "._S3rver_object";

/** Starts a server of objects for the machines of a test. */
export async function startS3Cluster(): Promise<S3Cluster> {
  const folder = mkdtempSync(join(tmpdir(), "isthmus-cli-s3-"));
  const server = await startS3Server();
  const queue = join(folder, "queue");
  const where = ["--queue", queue, "--storage", server.address("runs")];
  /** Makes a machine, and returns what programs on it see of it. */
  const machine = (name: string): Pick<AloneOptions, "cwd" | "env"> => {
    const [cwd, home] = [join(folder, name, "work"), join(folder, name, "home")];
    for (const made of [cwd, home]) mkdirSync(made, { recursive: true });
    // The client of S3 says on this version of Node.js that later ones will need another.
    return { cwd, env: { ...CREDENTIALS, HOME: home, NODE_NO_WARNINGS: "1" } };
  };
  const here = machine("here");
  const workers = createStops();
  return {
    work: join(folder, "here", "work"),
    async startWorker(name) {
      const stop = workers.current();
      await waitForTask(queue, stop);
      const words = ["worker", ...where, "--name", name, "--concurrency", "1", "--idle", "4"];
      return runCli(words, { ...machine(name), stop });
    },
    stopWorkers: workers.stop,
    run: (...args) => runCli([...args, ...where], here),
    runAlone: (args, options) => runAlone([...args, ...where], { ...here, ...options }),
    listPublished: () =>
      readdirSync(server.folder, { recursive: true, withFileTypes: true })
        .filter((file) => file.name.endsWith(OBJECT) && basename(file.parentPath) !== "files")
        .map((file) => join(file.parentPath, file.name)),
    async remove() {
      await server.stop();
      rmSync(folder, { recursive: true });
    },
  };
}
