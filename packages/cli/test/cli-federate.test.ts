import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createCheckpoint, createTensor, openCheckpoint, saveCheckpoint } from "@isthmus/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCli, runJson } from "../../../test/helpers/run-cli.ts";

let folder: string;
const inFolder = (name: string) => join(folder, name);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "isthmus-federate-"));
  for (const [name, value] of Object.entries({ global: 0, anna: 1, bert: 5, carl: 900 })) {
    const network = createCheckpoint({ w: createTensor("f32", [2], Float32Array.of(value, -value)) });
    await saveCheckpoint(network, inFolder(`${name}.safetensors`));
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

const aggregate = (clients: readonly string[], ...options: string[]) => [
  ...["federate", "aggregate", inFolder("global.safetensors")],
  ...clients.map((name) => inFolder(`${name}.safetensors`)),
  ...["-o", inFolder("out.safetensors"), ...options],
];

async function written(): Promise<number[]> {
  const network = await openCheckpoint(inFolder("out.safetensors"));
  const { data } = await network.read("w");
  await network.close();
  return [...(data as Float32Array)];
}

interface AggregateJson {
  readonly rule: string;
  readonly clients: readonly { readonly client: string; readonly weight: number }[];
  readonly alignment?: { readonly identity: boolean };
  readonly outputs: readonly string[];
}

describe("isthmus federate aggregate", () => {
  it("isthmus federate aggregate averages by examples", async () => {
    const result = await runJson<AggregateJson>(aggregate(["anna", "bert"], "--examples", "300,100"));
    expect(await written()).toEqual([2, -2]);
    expect(result.clients.map(({ client, weight }) => [client, weight])).toEqual([
      ["anna", 0.75],
      ["bert", 0.25],
    ]);
    expect(result.outputs).toEqual([inFolder("out.safetensors")]);
  });

  it("isthmus federate aggregate takes rules with parameters, and keeps state from round to round", async () => {
    const { code } = await runCli(aggregate(["anna", "bert", "carl"], "--rule", "trimmed-mean:f=1"));
    expect([code, await written()]).toEqual([0, [5, -5]]);
    const state = ["--server", "momentum:momentum=0.5", "--state", inFolder("state.safetensors")];
    await runCli(aggregate(["anna"], ...state));
    expect(await written()).toEqual([1, -1]);
    const { stdout } = await runCli(aggregate(["anna"], ...state, "--round", "2"));
    expect(await written()).toEqual([1.5, -1.5]);
    expect(stdout).toContain("state.safetensors");
  });

  it("isthmus federate aggregate says what is wrong, and writes nothing", async () => {
    rmSync(inFolder("out.safetensors"), { force: true });
    const fail = async (...options: string[]) => {
      const { code, stderr } = await runCli(aggregate(["anna", "bert"], ...options));
      return `${code} ${stderr}`;
    };
    expect(await fail("--examples", "1")).toMatch(
      /^2 .*--examples must have a number for each of 2 updates/s,
    );
    expect(await fail("--rule", "krumm:f=1")).toMatch(/^2 .*did you mean "krum"/s);
    expect(await fail("--rule", "krum:f=1")).toMatch(/^2 .*needs at least/s);
    expect(await fail("--layer", "w=drop")).toMatch(/^2 .*share\|average\|keep/s);
    expect(await fail("--align", "global")).toMatch(/^2 .*add --graph/s);
    expect(existsSync(inFolder("out.safetensors"))).toBe(false);
  });
});
