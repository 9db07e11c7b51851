import { type ChildProcess, fork, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { TEST_FLAGS } from "../../tools/test-flags.mjs";

const BIN = fileURLToPath(new URL("../../packages/cli/bin/isthmus.js", import.meta.url));
const SHARED = fileURLToPath(new URL("./cli-process.mjs", import.meta.url));

/** What a run of the command left behind. */
export interface CliRun {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Options of {@link runCli}. */
export interface CliOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Stops the command, as SIGTERM does, if it is running when the signal is aborted. */
  readonly stop?: AbortSignal | undefined;
}

/** Options of {@link runAlone}. */
export interface AloneOptions extends CliOptions {
  /** Called with the process as soon as it has started. */
  readonly onStart?: (child: ChildProcess) => void;
}

/** Runs commands in processes that go on after each, as most of what a short command takes is its start. */
export interface CliRunner {
  /** Runs the built `isthmus` command and waits for its end. */
  readonly run: (args: readonly string[], options?: CliOptions) => Promise<CliRun>;
  /** Ends the processes. */
  end(): void;
}

/**
 * Creates a runner of commands, whose processes share nothing with those of another: for tests of what stays in
 * a process, such as measurements of one's own. All others use {@link runCli}.
 */
export function createRunner(): CliRunner {
  /** Processes that wait for a command line; there are as many as ever ran at the same time. */
  const idle: ChildProcess[] = [];
  return {
    run: (args, { cwd, env, stop } = {}) => {
      const child = idle.pop() ?? startShared();
      return new Promise((resolve, reject) => {
        let beside = "";
        const keep = (text: Buffer): void => {
          beside += text;
        };
        const end = (): void => void child.send({ stop: true });
        stop?.addEventListener("abort", end);
        const finish = (run: CliRun): void => {
          stop?.removeEventListener("abort", end);
          child.off("message", answer).off("close", crash).stderr?.off("data", keep);
          // What Node.js says by itself comes beside the command's own messages.
          resolve({ ...run, stderr: run.stderr + beside });
        };
        const answer = (run: CliRun): void => {
          idle.push(child);
          finish(run);
        };
        const crash = (code: number | null): void => finish({ code, stdout: "", stderr: "" });
        child.on("message", answer).on("close", crash).stderr?.on("data", keep);
        child.send({ args, cwd, env: { NO_COLOR: "1", ...env } }, (error) => error && reject(error));
      });
    },
    end() {
      for (const child of idle.splice(0)) child.disconnect();
    },
  };
}

/**
 * Runs the built `isthmus` command and waits for its end. All runs of all test files of a process share one
 * process, or as many as run at the same time. {@link runAlone} is for tests of the process itself, and for one
 * run of every verb that does its work and must end.
 */
export const { run: runCli } = createRunner();

function startShared(): ChildProcess {
  return fork(SHARED, { execArgv: [...TEST_FLAGS], stdio: ["ignore", "inherit", "pipe", "ipc"] });
}

/** Runs the built `isthmus` command as a process of its own and waits for its end. */
export function runAlone(
  args: readonly string[],
  { cwd, env, stop, onStart }: AloneOptions = {},
): Promise<CliRun> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [BIN, ...args], {
      cwd,
      env: { ...process.env, NO_COLOR: "1", ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text) => {
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text) => {
      stderr += text;
    });
    child.on("error", reject);
    const end = (): void => void child.kill("SIGTERM");
    stop?.addEventListener("abort", end);
    child.on("close", (code) => {
      stop?.removeEventListener("abort", end);
      resolve({ code, stdout, stderr });
    });
    onStart?.(child);
  });
}

/**
 * For `onStart`: stops the command as soon as it has written a file, without a chance to clean up unless another
 * signal is named.
 */
export function killOnceThere(
  path: string,
  signal: NodeJS.Signals = "SIGKILL",
): (child: ChildProcess) => void {
  return (child) => {
    const watch = setInterval(() => {
      if (child.exitCode === null && !existsSync(path)) return;
      clearInterval(watch);
      child.kill(signal);
    }, 1);
  };
}

/**
 * Runs a verb with `--json` and parses its one object; fails with the messages of a failed run.
 *
 * @param run - {@link runAlone} for a process of its own
 */
export async function runJson<T>(
  args: readonly string[],
  options: CliOptions = {},
  run: typeof runCli = runCli,
): Promise<T> {
  const { code, stdout, stderr } = await run([...args, "--json"], options);
  if (code !== 0)
    throw new TypeError(`Cannot use the result of "${args.join(" ")}": exit code ${code}\n${stderr}`);
  return JSON.parse(stdout) as T;
}
