import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { freePort } from "../../test/helpers/free-port.ts";
import { digestTree } from "../cluster/digest-tree.ts";
import { OBJECT_CREDENTIALS, startObjects } from "../cluster/object-server.ts";
import { type RunningCommand, runCommand, startCommand } from "../cluster/program.ts";
import { writeSmallStudy } from "../cluster/small-study.ts";

/** Commands that run together, one of which writes to a place. */
interface StartedService {
  /** The command that writes to the place. */
  readonly victim: RunningCommand;
  /** The command that waits for it, and ends with 0 if all is well. */
  readonly other: RunningCommand;
  /** Ends what still runs, and returns a digest of the results. */
  readonly end: () => Promise<string>;
}

/** A command that serves others, and must go on once a full disk has room. */
export interface ServiceCase {
  readonly name: string;
  /** Starts the command with its files in a place below the folder, and the one that waits for it. */
  readonly start: (folder: string, place: string) => Promise<StartedService>;
  /** Line of the command after which the disk is filled. @defaultValue it is full from the start */
  readonly fullAt?: RegExp;
  /** Texts that the command, and the command that waits for it, must print while the disk is full. */
  readonly says: readonly [victim: RegExp, other: RegExp];
}

/** Address of the server of a federation, which serves in a state folder. */
export async function startFederation(
  folder: string,
  { state, output = [] }: { readonly state: string; readonly output?: readonly string[] },
): Promise<{ readonly url: string; readonly server: RunningCommand }> {
  const file = `${state.replaceAll("/", "-")}.yml`;
  writeFileSync(
    join(folder, file),
    `network: a.safetensors\ngraph: graph.onnx\nrounds: 3\nquorum: 1\nfolder: ${state}\ntokens: tokens.json\n`,
  );
  const port = String(await freePort());
  const words = ["federate", "serve", file, "--port", port, "--linger", "1", ...output];
  const server = startCommand(words, { cwd: folder });
  await until(() => server.output().includes("address for clients") || !server.isAlive());
  return { url: `http://127.0.0.1:${port}`, server };
}

/** Words of a client of a federation, without its folder. */
export const joinWords = (url: string): readonly string[] => [
  ...["federate", "join", url, "--token-file", "anna.token", "--epochs", "1", "--batch", "10"],
  ...["--data", "safetensors:data.safetensors:train"],
];

/** Makes the token of the client. */
export async function writeToken(folder: string): Promise<void> {
  writeFileSync(join(folder, "token.yml"), "network: a.safetensors\ntokens: tokens.json\n");
  await runCommand(["federate", "token", "anna", "--for", "token.yml", "-o", "anna.token"], folder);
}

export const SERVICES: readonly ServiceCase[] = [
  {
    name: "federate serve",
    async start(folder, place) {
      const output = ["-o", `${place}/n.safetensors`];
      const { url, server: victim } = await startFederation(folder, { state: `${place}/state`, output });
      const other = startCommand([...joinWords(url), "--folder", `client-${place}`], { cwd: folder });
      return {
        victim,
        other,
        async end() {
          await victim.ended;
          for (const name of ["journal.jsonl", "identity"]) rmSync(join(folder, place, "state", name));
          return digestTree(join(folder, place));
        },
      };
    },
    fullAt: /round 1 aggregated/,
    says: [
      /Cannot write "[^"]*disk\/[^"]*" as the disk must have room/,
      /disk of the server must have room: it is full/,
    ],
  },
  {
    name: "worker with a disk of its own",
    async start(folder, place) {
      const study = writeSmallStudy(folder, { networks: 2, epochs: 1 });
      mkdirSync(join(folder, `objects-${place}`));
      const objects = await startObjects(join(folder, `objects-${place}`));
      const where = ["--queue", `queue-${place}`, "--storage", objects.url.href];
      const run = (words: readonly string[], home: string): RunningCommand =>
        startCommand([...words, ...where], {
          cwd: folder,
          env: { ...OBJECT_CREDENTIALS, HOME: join(folder, home) },
        });
      const victim = run(["worker", "--concurrency", "1"], place);
      const other = run(["study", study, "-o", `results-${place}`], ".");
      return {
        victim,
        other,
        async end() {
          victim.signal("SIGTERM");
          await victim.ended;
          await objects.stop();
          return digestTree(join(folder, `results-${place}`));
        },
      };
    },
    says: [/gave "[^"]*" back: .*disk\/.*must have room/, /tried again.*must have room/],
  },
];

/** Folder and disk on which a service is tried. */
interface Disk {
  readonly folder: string;
  /** Fills the disk, and returns the function that empties it again of the filling. */
  readonly fill: () => () => void;
}

/** Returns all that a command does wrong that serves others. */
export async function tryService(
  { start, fullAt, says }: ServiceCase,
  { folder, fill }: Disk,
): Promise<readonly string[]> {
  const problems: string[] = [];
  const whole = await start(folder, "expected");
  if ((await whole.other.ended) !== 0) return [`it fails on a disk with room: ${whole.other.output()}`];
  const expected = await whole.end();
  let free = fullAt === undefined ? fill() : undefined;
  const { victim, other, end } = await start(folder, "disk");
  if (fullAt !== undefined) {
    await until(() => fullAt.test(victim.output()));
    free = fill();
  }
  for (const [command, pattern] of [
    [victim, says[0]],
    [other, says[1]],
  ] as const) {
    await until(() => pattern.test(command.output()) || !command.isAlive());
    if (!command.isAlive()) problems.push(`it ends while the disk is full: ${command.output().slice(-500)}`);
    else if (!pattern.test(command.output()))
      problems.push(`it does not say ${pattern}: ${command.output().slice(-500)}`);
  }
  free?.();
  const code = await other.ended;
  if (code !== 0) problems.push(`with room it ends with ${code}: ${other.output().slice(-500)}`);
  const digest = await end();
  if (digest !== expected) problems.push(`with room it writes ${digest} in place of ${expected}`);
  return problems;
}

/** Longest time until a command says what is waited for, in milliseconds. */
const PATIENCE = 120_000;

/** Waits until something holds, or for too long. */
async function until(holds: () => boolean): Promise<void> {
  for (const began = performance.now(); !holds() && performance.now() - began < PATIENCE; )
    await setTimeout(50);
}
