import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const BIN = fileURLToPath(new URL("../../packages/cli/bin/isthmus.js", import.meta.url));

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
  /** Called with the process as soon as it has started. */
  readonly onStart?: (child: ChildProcess) => void;
}

/** Runs the built `isthmus` command as a child process and waits for its end. */
export function runCli(args: readonly string[], { cwd, env, onStart }: CliOptions = {}): Promise<CliRun> {
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
    child.on("close", (code) => resolve({ code, stdout, stderr }));
    onStart?.(child);
  });
}

/** For `onStart`: kills the command without a chance to clean up, as soon as it has written a file. */
export function killOnceThere(path: string): (child: ChildProcess) => void {
  return (child) => {
    const watch = setInterval(() => {
      if (child.exitCode === null && !existsSync(path)) return;
      clearInterval(watch);
      child.kill("SIGKILL");
    }, 1);
  };
}

/** Runs a verb with `--json` and parses its one object; fails with the messages of a failed run. */
export async function runJson<T>(args: readonly string[], options: CliOptions = {}): Promise<T> {
  const { code, stdout, stderr } = await runCli([...args, "--json"], options);
  if (code !== 0)
    throw new TypeError(`Cannot use the result of "${args.join(" ")}": exit code ${code}\n${stderr}`);
  return JSON.parse(stdout) as T;
}
