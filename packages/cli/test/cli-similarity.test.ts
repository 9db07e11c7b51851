import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { saveCheckpoint } from "@isthmus/core";
import { encodeGraph } from "@isthmus/graph";
import type { SimilarityResult } from "@isthmus/similarity";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { GraphBuilder } from "../../../test/helpers/graph-builder.ts";
import { randomExamples } from "../../../test/helpers/random-examples.ts";
import { randomNetwork } from "../../../test/helpers/random-network.ts";
import { runCli, runJson } from "../../../test/helpers/run-cli.ts";
import { saveExamples } from "../../../test/helpers/save-examples.ts";
import { smallMlp } from "../../../test/helpers/small-networks.ts";

let folder: string;
const at = (name: string) => join(folder, name);
const command = (...rest: readonly string[]) => [
  ...[
    "similarity",
    at("a.safetensors"),
    at("b.safetensors"),
    "--data",
    `safetensors:${at("data.safetensors")}`,
  ],
  ...["--anchors", "10", "--neighbours", "3", ...rest],
];
const shared = () => ["--graph", at("graph.onnx")];

/** One hidden layer, of the same inputs and outputs as the small MLP. */
function shallowMlp() {
  const b = new GraphBuilder();
  const hidden = b.op("Relu", [b.linear(b.input("x", [6]), "l0", 6, 20)]);
  return b.output(b.linear(hidden, "l1", 20, 4)).build("shallow");
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "isthmus-similarity-"));
  for (const [name, graph] of [
    ["graph", smallMlp()],
    ["shallow", shallowMlp()],
  ] as const) {
    writeFileSync(at(`${name}.onnx`), encodeGraph(graph));
  }
  await saveCheckpoint(randomNetwork(smallMlp(), 1), at("a.safetensors"));
  await saveCheckpoint(randomNetwork(smallMlp(), 2), at("b.safetensors"));
  await saveCheckpoint(randomNetwork(shallowMlp(), 3), at("shallow.safetensors"));
  await saveExamples(randomExamples([6], { size: 50, classes: 4 }), at("data.safetensors"));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("isthmus similarity", () => {
  test("writes what measureSimilarity() returns, the same every time", async () => {
    const file = at("similarity.json");
    const rest = [...shared(), "--seed", "3", "--measures", "linear-cka,relative", "-o", file];
    const printed = await runJson<SimilarityResult>(command(...rest));
    expect(printed).toMatchObject({ kind: "similarity", samples: 50, seed: 3, anchors: 10, neighbours: 3 });
    expect(printed.tables.map(({ number }) => number)).toEqual([
      ...["linear-cka", "relative-cosine", "relative-mrr", "relative-jaccard"],
    ]);
    const written = readFileSync(file, "utf8");
    await runCli(command(...rest));
    expect(readFileSync(file, "utf8")).toBe(written);
    expect(JSON.parse(written)).toMatchObject({
      ...{ tables: printed.tables },
      provenance: { command: expect.stringMatching(/^isthmus similarity .* --seed 3/) },
    });
  });

  test("prints layers of one place, or each layer with all of another graph", async () => {
    const { stdout } = await runCli(command(...shared(), "--measures", "linear-cka,svcca"));
    expect(stdout).toMatch(/^Layer of A +Layer of B +linear CKA +SVCCA$/m);
    expect(stdout.match(/ 0\.\d+ /g)?.length).toBeGreaterThan(2);
    const other = command(
      "--measures",
      "linear-cka",
      "--graph-a",
      at("graph.onnx"),
      "--graph-b",
      at("shallow.onnx"),
    );
    const different = await runCli(
      other.map((word) => (word === at("b.safetensors") ? at("shallow.safetensors") : word)),
    );
    expect(different.stderr).toBe("");
    expect(different.stdout).toMatch(/^Layer of A( +\S+){2}$/m);
  });

  test("writes a page, the one that isthmus report makes of the result", async () => {
    const [page, file, again] = [at("page.html"), at("result.json"), at("again.html")];
    const { code, stdout } = await runCli(command(...shared(), "--report", page, "-o", file));
    expect(code).toBe(0);
    expect(stdout).toContain(`Wrote ${file}, ${page}`);
    const drawn = readFileSync(page, "utf8");
    for (const name of ["diagonal", "linear-cka", "procrustes"])
      expect(drawn).toContain(`id="figure-${name}"`);
    expect((await runCli(["report", file, "-o", again])).code).toBe(0);
    const mainOf = (html: string) => /<header>.*<h2 id="method"/s.exec(html)?.[0];
    expect(mainOf(drawn)).toBeDefined();
    expect(mainOf(readFileSync(again, "utf8"))).toBe(mainOf(drawn));
  });

  test.each([
    [["--values", "none*"], /"none\*" as it must match a value/],
    [["--measures", "cka"], /must be one of linear-cka/],
    [["--variance", "2"], /'2' is invalid. It must be a number above 0 and at most 1/],
    [["--report", "page.txt"], /its name must end in .html/],
  ])("refuses %j", async (rest, message) => {
    const { code, stderr } = await runCli(command(...shared(), ...rest));
    expect(code).not.toBe(0);
    expect(stderr).toMatch(message);
  });
});
