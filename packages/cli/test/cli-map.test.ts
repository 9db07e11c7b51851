import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { MapResult } from "@isthmus/barrier";
import { createCheckpoint, saveCheckpoint } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { encodeGraph } from "@isthmus/graph";
import { discoverSymmetries, permute, randomAlignment } from "@isthmus/symmetry";
import { parseNetwork } from "@isthmus/zoo";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { encodeStripes } from "../../../test/helpers/encode-stripes.ts";
import { runCli, runJson } from "../../../test/helpers/run-cli.ts";
import { stripes } from "../../../test/helpers/stripes.ts";

let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "isthmus-cli-map-"));
  writeFileSync(join(folder, "stripes.npz"), encodeStripes());
  const data = stripes(100);
  const { graph, initialize } = parseNetwork("mlp:6", data);
  writeFileSync(join(folder, "model.onnx"), encodeGraph(graph));
  const save = (network: Parameters<typeof saveCheckpoint>[0], name: string) =>
    saveCheckpoint(network, join(folder, `${name}.safetensors`), { allowNonFinite: true });
  for (let seed = 0; seed < 3; seed++) await save(initialize(seed), `net-${seed}`);
  const { spec } = await discoverSymmetries({ graph, engine: createOnnxRuntimeEngine() });
  await save(permute(randomAlignment(spec, 7), initialize(0), spec), "net-3");
  await save(parseNetwork("mlp:7", data).initialize(0), "other");
  const names = [...initialize(4).tensors.keys()];
  const tensors = await Promise.all(
    names.map(async (name) => [name, await initialize(4).read(name)] as const),
  );
  const [[first, tensor] = expect.fail(), ...others] = tensors;
  const broken = Float32Array.from(tensor.data as Float32Array).fill(Number.NaN, 0, 1);
  await save(createCheckpoint(new Map([[first, { ...tensor, data: broken }], ...others])), "broken");
  for (const name of readdirSync(folder)) given.add(name);
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true }));

/** Files that tests start with. */
const given = new Set<string>();
beforeEach(() => {
  for (const name of readdirSync(folder)) if (!given.has(name)) rmSync(join(folder, name));
});

const rest = ["--graph", "model.onnx", "--data", "npz:stripes.npz", "--points", "3"];
const run = (...args: string[]) => runCli(["map", ...args, ...rest], { cwd: folder });
const written = () => readdirSync(folder).filter((name) => !given.has(name));

describe("isthmus map", () => {
  it("isthmus map writes a result and a page, which isthmus report draws, too", async () => {
    const { code, stdout, stderr } = await run(
      ...["net-?.safetensors", "-o", "map.json", "--report", "map.html"],
    );
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(stdout).toMatch(/^Networks: 4: net-0[\s\S]*\n\nAs trained +Aligned\n\d net-\d/);
    expect(stdout).toMatch(/^mean, aligned +\d\./m);
    expect(stdout).toContain("Wrote map.json, map.html");
    const result = JSON.parse(readFileSync(join(folder, "map.json"), "utf8")) as MapResult;
    // The last is a permuted copy of the first.
    expect(result.after.tree.joins[0]).toEqual({ a: 0, b: 3, height: 0 });
    expect(result).toMatchObject({ kind: "map", provenance: { command: expect.stringContaining("map") } });
    expect(readFileSync(join(folder, "map.html"), "utf8")).toContain("A map of 4 networks");
    const drawn = await runCli(["report", "map.json", "--svg", ".", "--csv", "."], { cwd: folder });
    expect(drawn.stdout).toMatch(/^As trained +Aligned\n/m);
    expect(written()).toEqual(
      expect.arrayContaining(["barriers-after.svg", "places-before.svg", "pairs.csv"]),
    );
  });

  it("isthmus map measures a ground, and puts the path of another result on the map", async () => {
    const ends = ["net-0.safetensors", "net-1.safetensors"];
    const path = await run("net-?.safetensors", "--ground", "3", "--through", "1,2,3", "-o", "map.json");
    expect(path).toMatchObject({ code: 0 });
    const walk = ["path", ...ends, ...rest.slice(0, 4), "-o", "path.json"];
    expect(await runCli(walk, { cwd: folder })).toMatchObject({ code: 0 });
    const joined = await run("net-?.safetensors", "-o", "joined.json", "--join", "path.json");
    expect(joined).toMatchObject({ code: 0 });
    const { ground } = JSON.parse(readFileSync(join(folder, "map.json"), "utf8")) as MapResult;
    expect(ground?.loss).toHaveLength(3);
    const { paths } = JSON.parse(readFileSync(join(folder, "joined.json"), "utf8")) as MapResult;
    expect(paths).toMatchObject([{ label: "path by halves", a: 0, b: 1 }]);
    const drawn = await runCli(["report", "map.json", "path.json", "-o", "map.html"], { cwd: folder });
    expect(drawn).toMatchObject({ code: 0 });
    expect(readFileSync(join(folder, "map.html"), "utf8")).toContain("path by halves");
    const other = await run(...ends.slice(1), "net-2.safetensors", "--join", "path.json");
    expect(other.code).toBe(2);
    expect(other.stderr).toMatch(/"path\.json" on the map as its path must lead between two networks/);
  });

  it("isthmus map goes on from its journal, and places a star", async () => {
    const nets = ["net-0.safetensors", "net-1.safetensors", "--journal", "pairs-kept.json"];
    const json = (...args: string[]) =>
      runJson<MapResult>(["map", ...nets, ...args, ...rest], { cwd: folder });
    const first = await json();
    const again = await json();
    expect(again).toEqual(first);
    const withStar = await json("--star", "net-2.safetensors", "--many", "merge-many");
    expect(withStar.networks.map(({ role }) => role)).toEqual(["network", "network", "star"]);
    expect(withStar.many).toBe("merge-many");
    expect(withStar.before.pairs[0]).toEqual(first.before.pairs[0]);
  });

  it("isthmus map names what cannot be mapped, and writes nothing", async () => {
    const nets = ["net-0.safetensors", "net-1.safetensors"];
    const refused: readonly (readonly [args: readonly string[], message: RegExp])[] = [
      [["net-0.safetensors"], /there must be at least two: got only "net-0\.safetensors"/],
      [[...nets, "other.safetensors"], /other\.safetensors/],
      [[...nets, "broken.safetensors"], /broken\.safetensors/],
      [[...nets, "-o", "map.txt"], /-o must name a file ending in \.json: it is "map\.txt"/],
      [[...nets, "--report", "map.pdf"], /must end in \.html/],
    ];
    for (const [args, message] of refused) {
      const outputs = args.includes("-o") ? [] : ["-o", "map.json"];
      const { code, stderr } = await run(...args, ...outputs, "--journal", "kept.json");
      expect(code).toBe(2);
      expect(stderr).toMatch(message);
    }
    expect(written()).toEqual([]);
    expect(existsSync(join(folder, "kept.json"))).toBe(false);
  });
});
