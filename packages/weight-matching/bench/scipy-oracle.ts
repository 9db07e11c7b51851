import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** One timed solve. */
export interface Timing {
  readonly ms: number;
  readonly objective: number;
}

/** SciPy in a process of its own, one request at a time. */
export interface ScipyOracle {
  readonly version: string;
  /** Hands over a matrix [n, n] and solves it. */
  solve(costs: Float32Array, n: number): Promise<Timing>;
  /** Solves the matrix handed over last once more. */
  again(): Promise<Timing>;
  close(): void;
}

/** Starts SciPy under the interpreter at `python`; undefined if that does not run or has no SciPy. */
export async function startScipy(python: string): Promise<ScipyOracle | undefined> {
  const script = fileURLToPath(new URL("./scipy-server.py", import.meta.url));
  const process = spawn(python, [script], { stdio: ["pipe", "pipe", "inherit"] });
  const gone = new Promise<undefined>((resolve) => {
    process.once("error", () => resolve(undefined));
    process.once("exit", () => resolve(undefined));
  });
  const lines = createInterface({ input: process.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<string | undefined> => {
    const line = await Promise.race([lines.next(), gone]);
    return line === undefined || line.done ? undefined : line.value;
  };
  const hello = await next();
  if (hello === undefined) return undefined;
  const folder = mkdtempSync(join(tmpdir(), "isthmus-assignment-"));
  const ask = async (request: string): Promise<Timing> => {
    process.stdin.write(`${request}\n`);
    const answer = await next();
    if (answer === undefined) throw new TypeError(`Cannot time SciPy as its process ended on "${request}"`);
    return JSON.parse(answer) as Timing;
  };
  return {
    version: (JSON.parse(hello) as { scipy: string }).scipy,
    solve(costs, n) {
      const path = join(folder, "costs.f32");
      writeFileSync(path, costs);
      return ask(`${path} ${n}`);
    },
    again: () => ask(""),
    close() {
      process.stdin.end();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
