import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { createRandom } from "@isthmus/core";
import { freePort } from "../../../test/helpers/free-port.ts";
import { plainClient, takePart } from "./plain-client.ts";
import { makeFederation, makeUpdate, type SmallFederation, type SmallOptions } from "./small-federation.ts";

const CHILD = fileURLToPath(new URL("./server-child.mjs", import.meta.url));

/** What came of a federation whose server was killed again and again. */
export interface KilledFederation {
  /** Hash of the last network. */
  readonly network: string;
  /** Times that the server was killed while the federation was not over. */
  readonly kills: number;
  /** Number of updates in each round. */
  readonly updates: readonly number[];
}

/** Starts a server in a process of its own; resolves once it listens. */
export async function startServer({
  folder,
  config,
}: SmallFederation): Promise<{ child: ChildProcess; url: string }> {
  const path = join(folder, "config.json");
  writeFileSync(path, JSON.stringify(config));
  const child = spawn(process.execPath, [CHILD, path], { stdio: ["ignore", "pipe", "inherit"] });
  if (child.stdout === null) throw new Error("no output of the server");
  const [url] = (await once(createInterface(child.stdout), "line")) as [string];
  return { child, url };
}

/**
 * Runs a federation whose server is killed at random moments, at most so many times, while clients go on.
 * @param most - longest life of a server in milliseconds
 */
export async function runKilled(
  options: SmallOptions,
  { seed, kills, most }: { readonly seed: number; readonly kills: number; readonly most: number },
): Promise<KilledFederation> {
  const port = await freePort();
  const federation = await makeFederation({ ...options, port });
  const random = createRandom(seed, "kills");
  let over = false;
  let killed = 0;
  let server = await startServer(federation);
  try {
    const clients = Promise.all(
      [...federation.tokens].map(([name, token]) =>
        takePart(
          () => server.url,
          token,
          (round, network) => makeUpdate(name, round, network),
        ),
      ),
    ).finally(() => {
      over = true;
    });
    while (killed < kills && !over) {
      await setTimeout(random.uniform() * most);
      if (isOver(federation)) break;
      server.child.kill("SIGKILL");
      await once(server.child, "exit");
      killed++;
      server = await startServer(federation);
    }
    const [network = ""] = await clients;
    const summary = await plainClient(server.url, undefined).request("GET", "/v1/summary");
    const { history } = (await summary.json()) as { history: { updates: number }[] };
    return { network, kills: killed, updates: history.map(({ updates }) => updates) };
  } finally {
    server.child.kill("SIGKILL");
    await once(server.child, "exit").catch(() => undefined);
    federation.remove();
  }
}

/** Whether the journal says that all rounds are aggregated. */
function isOver({ config }: SmallFederation): boolean {
  const journal = readFileSync(join(config.folder, "journal.jsonl"), "utf8");
  return journal.split('"kind":"round-aggregated"').length > config.plan.rounds;
}
