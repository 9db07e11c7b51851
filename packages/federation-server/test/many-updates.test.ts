import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { at, openCheckpoint, saveCheckpoint } from "@isthmus/core";
import { resolveStrategy, saveAggregate } from "@isthmus/federated";
import { afterAll, expect, test } from "vitest";
import { bundleScripts } from "../../../test/helpers/bundle-scripts.mjs";
import type { AggregateRequest } from "../src/work/aggregate-round.ts";
import { bodyOf, makeNetwork } from "./small-federation.ts";

const [SCRIPT] = await bundleScripts([new URL("./aggregate-many.ts", import.meta.url)]);
const folder = mkdtempSync(join(tmpdir(), "isthmus-many-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Number of files that the process may have open, and of updates in the round. */
const [LIMIT, UPDATES] = [256, 1000];

async function writeNetwork(name: string, seed: number) {
  const path = join(folder, `${name}.safetensors`);
  await saveCheckpoint(await makeNetwork(seed), path);
  return { path, ...bodyOf(readFileSync(path)) };
}

const start = await writeNetwork("start", 0);
const sent = await Promise.all([1, 2, 3, 4].map((seed) => writeNetwork(`sent-${seed}`, seed)));
const models = join(folder, "models");
mkdirSync(models);

const updates = Array.from({ length: UPDATES }, (_, i) => {
  const { bytes, hash } = at(sent, i % sent.length);
  const path = join(folder, `update-${i}.safetensors`);
  writeFileSync(path, bytes);
  const file = { path, hash };
  return {
    client: `client-${String(i).padStart(4, "0")}`,
    examples: 1 + (i % 7),
    staleness: 0,
    file,
    base: start,
  };
});

test.skipIf(process.platform === "win32").each(["fedavg", "coordinate-median"])(
  "aggregateRound() aggregates a thousand updates by %s in a process that may open 256 files",
  async (rule) => {
    const output = { network: join(folder, "next.safetensors"), state: join(folder, "state"), models };
    const request: AggregateRequest = {
      ...{ network: start, updates, strategy: { rule }, graph: null, step: 1, seed: 0, state: null },
      ...{ secure: null, keep: [], privacy: { state: undefined, noiseSeed: undefined }, output },
    };
    writeFileSync(
      join(folder, "request.json"),
      JSON.stringify(request, (key, value: unknown) => (key === "bytes" ? undefined : value)),
    );
    const command = `ulimit -n ${LIMIT} && exec "$0" "$@"`;
    const script = [process.execPath, fileURLToPath(SCRIPT), join(folder, "request.json")];
    const hash = execFileSync("sh", ["-c", command, ...script], { encoding: "utf8" });
    const networks = await Promise.all(sent.map(({ path }) => openCheckpoint(path)));
    const network = await openCheckpoint(start.path);
    const opened = updates.map((update, i) => ({ ...update, base: undefined, network: at(networks, i % 4) }));
    const files = { network: join(folder, `${rule}.safetensors`), state: join(folder, "state") };
    await saveAggregate(network, opened, files, {
      ...resolveStrategy(undefined, network, { rule }),
      round: 1,
    });
    for (const checkpoint of [network, ...networks]) await checkpoint.close();
    expect(hash).toBe(bodyOf(readFileSync(files.network)).hash);
  },
);
