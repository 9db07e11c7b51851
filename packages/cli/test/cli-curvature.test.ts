import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { saveCheckpoint } from "@isthmus/core";
import type { CurvatureResult } from "@isthmus/curvature";
import { encodeGraph } from "@isthmus/graph";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { randomExamples } from "../../../test/helpers/random-examples.ts";
import { randomNetwork } from "../../../test/helpers/random-network.ts";
import { killOnceThere, runAlone, runCli, runJson } from "../../../test/helpers/run-cli.ts";
import { saveExamples } from "../../../test/helpers/save-examples.ts";
import { smallMlp } from "../../../test/helpers/small-networks.ts";

let folder: string;
const at = (name: string) => join(folder, name);
const command = (...rest: readonly string[]) => [
  ...[
    "curvature",
    at("a.safetensors"),
    "--graph",
    at("graph.onnx"),
    "--data",
    `safetensors:${at("data.safetensors")}`,
  ],
  ...rest,
];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "isthmus-curvature-"));
  const graph = smallMlp();
  writeFileSync(at("graph.onnx"), encodeGraph(graph));
  await saveCheckpoint(randomNetwork(graph, 1), at("a.safetensors"));
  await saveExamples(randomExamples([6], { size: 30, classes: 4 }), at("data.safetensors"));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("isthmus curvature", () => {
  test("writes what measureCurvature() returns, the same for the same seed", async () => {
    const file = at("curvature.json");
    const printed = await runJson<CurvatureResult>(
      command("--operator", "gauss-newton", "--count", "2", "--runs", "1", "--seed", "3", "-o", file),
    );
    expect(printed).toMatchObject({
      kind: "curvature",
      operator: "gauss-newton",
      dimension: 368,
      examples: 30,
    });
    expect(printed.eigenvalues?.largest).toHaveLength(2);
    expect(printed.density?.density).toHaveLength(1000);
    const written = readFileSync(file, "utf8");
    await runCli(
      command("--operator", "gauss-newton", "--count", "2", "--runs", "1", "--seed", "3", "-o", file),
    );
    expect(readFileSync(file, "utf8")).toBe(written);
    expect(JSON.parse(written)).toMatchObject({
      ...{ trace: printed.trace ?? {}, seed: 3 },
      provenance: { command: expect.stringMatching(/^isthmus curvature .* --seed 3$/) },
    });
  });

  test("prints a table, of some parameters if asked", async () => {
    const { code, stdout } = await runCli(
      command(
        "--parameters",
        "l2.*",
        "--count",
        "1",
        "--trace-products",
        "100",
        "--runs",
        "0",
        "--examples",
        "20",
      ),
    );
    expect(code).toBe(0);
    expect(stdout).toMatch(/^trace: \S+ \(.*52 products\)$/m);
    expect(stdout).toMatch(/^largest +1 +\d/m);
    expect(stdout).toMatch(/^smallest +1 +-?\d/m);
  });

  test("writes a page, the one that isthmus report makes of the result", async () => {
    const [page, file, again] = [at("page.html"), at("result.json"), at("again.html")];
    const counts = ["--parameters", "l2.*", "--count", "2", "--runs", "1"];
    const { code, stdout } = await runCli(command(...counts, "--report", page, "-o", file));
    expect(code).toBe(0);
    expect(stdout).toContain(`Wrote ${file}, ${page}`);
    const drawn = readFileSync(page, "utf8");
    for (const name of ["density", "eigenvalues"]) expect(drawn).toContain(`id="figure-${name}"`);
    expect((await runCli(["report", file, "-o", again])).code).toBe(0);
    const mainOf = (html: string) => /<header>.*<h2 id="method"/s.exec(html)?.[0];
    expect(mainOf(drawn)).toBeDefined();
    expect(mainOf(readFileSync(again, "utf8"))).toBe(mainOf(drawn));
  });

  test("measures layers, sharpness and the rest, before and after scales are undone", async () => {
    const spectrum = ["--count", "1", "--trace-products", "400", "--runs", "0"];
    const chains = ["--learning-coefficient", "--draws", "4", "--chains", "3", "--burn-in", "2"];
    const measures = [
      "--by",
      "layer",
      "--sharpness",
      "0.1",
      "--critical-sharpness",
      ...chains,
      ...["--settling", "4,8"],
      "--canonical",
    ];
    const page = at("measures.html");
    const printed = await runJson<CurvatureResult>(command(...spectrum, ...measures, "--report", page));
    expect(printed.layers?.map(({ name }) => name)).toEqual(["l0", "l1", "l2"]);
    expect(printed.sharpness?.plain.radius).toBe(0.1);
    expect(printed.learningCoefficient?.chains).toHaveLength(3);
    expect(printed.canonical?.layers?.[0]?.trace?.trace).not.toBe(printed.layers?.[0]?.trace?.trace);
    const html = readFileSync(page, "utf8");
    for (const name of [
      "layer-traces",
      "layer-eigenvalues",
      "sharpness",
      "learning-coefficient",
      "settling-trace",
    ])
      expect(html).toContain(`id="figure-${name}"`);
    const { stdout } = await runCli(command(...spectrum, ...measures));
    expect(stdout).toMatch(/^critical sharpness: \S+ \(from \d+ losses\)$/m);
    expect(stdout).toMatch(/^learning coefficient: \S+ \(standard error \S+; 3 chains\)$/m);
    expect(stdout).toMatch(/^l1 +[█#]/m);
    expect(stdout).toMatch(/^as trained +4( +\S+){7}$/m);
    expect(stdout).toMatch(/^canonical form +4( +\S+){7}$/m);
    expect(stdout).toContain("Before and after canonicalising");
  });

  test("shows the parts that are finished if it is stopped", async () => {
    const journal = at("stopped.journal.json");
    const words = command("--count", "2", "--runs", "30", "--by", "layer", "--journal", journal);
    const { code, stderr } = await runAlone(words, { onStart: killOnceThere(journal, "SIGINT") });
    expect(code).toBe(130);
    expect(stderr).toMatch(/^largest +1 +\d/m);
    expect(stderr).toContain(`finished parts are in "${journal}"`);
  });

  test("goes on from its journal after it was killed, to the same bytes", async () => {
    const measures = ["--count", "2", "--runs", "3", "--by", "layer", "--canonical"];
    await runJson(command(...measures, "-o", at("whole.json")));
    const journal = at("curvature.journal.json");
    const words = command(...measures, "--journal", journal, "-o", at("later.json"));
    expect((await runAlone(words, { onStart: killOnceThere(journal) })).code).not.toBe(0);
    expect(existsSync(at("later.json"))).toBe(false);
    const parts = () => Object.keys(JSON.parse(readFileSync(journal, "utf8")).data);
    expect(parts()).toContain("as it is: eigenvalues");
    await runJson(words);
    const measured = (name: string) => {
      const { provenance: _, ...rest } = JSON.parse(readFileSync(at(name), "utf8"));
      return JSON.stringify(rest);
    };
    expect(measured("later.json")).toBe(measured("whole.json"));
    expect(parts().at(-1)).toBe("canonical: layer l2");
    const other = await runCli([...words, "--seed", "5"]);
    expect(other.stderr).toContain('"seed" is "0" there and "5" here; it was left as it is');
  });

  test("refuses options of chains without their measure", async () => {
    const { code, stderr } = await runCli(command("--burn-in", "5"));
    expect(code).not.toBe(0);
    expect(stderr).toContain("--burn-in alone as it belongs to --learning-coefficient");
  });

  test("options of a measure belong to it, and change how it is measured", async () => {
    const spectrum = ["--count", "0", "--trace-products", "0", "--runs", "0"];
    const climb = ["--sharpness", "--sharpness-steps", "0", "--sharpness-samples", "0"];
    const search = ["--critical-sharpness", "--critical-sharpness-tolerance", "0.5"];
    const { sharpness, criticalSharpness } = await runJson<CurvatureResult>(
      command(...spectrum, ...climb, ...search),
    );
    expect(sharpness).toMatchObject({ steps: 0, samples: 0, plain: { radius: 0.05 } });
    const [low, high] = criticalSharpness?.learningRate ?? [];
    expect(high).toBe(2 * Number(low));
    const { code, stderr } = await runCli(command("--sharpness-steps", "0"));
    expect(code).not.toBe(0);
    expect(stderr).toContain("--sharpness-steps alone as it belongs to --sharpness");
  });

  test("refuses a page that is none, before it measures", async () => {
    const { code, stderr } = await runCli(command("--report", at("page.txt")));
    expect(code).not.toBe(0);
    expect(stderr).toContain("its name must end in .html");
  });

  test("refuses names of no parameter", async () => {
    const { code, stderr } = await runCli(command("--parameters", "none"));
    expect(code).not.toBe(0);
    expect(stderr).toContain('"parameters" must match');
  });
});
