// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of the study
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { defineMeasurement } from "@isthmus/findings";
import { addMeasurement } from "@isthmus/measurements/use";
import { runTask } from "@isthmus/tasks";
import { afterEach, beforeEach, expect, it } from "vitest";
import { fewImages } from "../../test/few-images.ts";
import type { StudyDescription } from "../description/study-description.ts";
import { runStudy } from "../run-study.ts";
import { loadStudyTasks } from "../tasks/task-kinds.ts";

const engine = createOnnxRuntimeEngine();
const openData = async (name: string) => fewImages(name);

const OWN = [
  defineMeasurement({
    verb: "count-networks",
    kind: "count-networks",
    summary: "Count networks, and their symmetries",
    subject: "networks",
    async run({ networks, symmetries }) {
      const [first, second] = [await symmetries(), await symmetries()];
      const labels = networks.map(({ label }) => label);
      return { labels, networks: networks.length, equal: first === second };
    },
  }),
  defineMeasurement({
    verb: "count-pair",
    kind: "count-pair",
    summary: "Count the tensors of two networks",
    subject: "pair",
    async run({ a, b, unaligned }) {
      const [name = ""] = a.tensors.keys();
      const [aligned, given] = [await b.read(name), await unaligned.read(name)];
      const moved = aligned.data.some((value, i) => value !== given.data[i]);
      return { a: "path", tensors: a.tensors.size + b.tensors.size, moved };
    },
  }),
];

let folder: string;
const removals: (() => void)[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "isthmus-subjects-"));
  removals.push(...OWN.map((entry) => addMeasurement(entry)));
});
afterEach(() => {
  for (const remove of removals.splice(0)) remove();
  rmSync(folder, { recursive: true });
});

it("a measurement of one's own gets the networks of each cell of a study together, and pairs one by one", async () => {
  const measurements: object = {
    together: { kind: "count-networks", of: "mlps", data: "few:test" },
    pairs: { kind: "count-pair", between: "mlps", data: "few:test", align: "weight" },
    given: { kind: "count-pair", between: "mlps", data: "few:test" },
  };
  const column = (title: string) => ({ title, mean: title });
  const study: StudyDescription = {
    title: "Own",
    networks: {
      mlps: {
        for: { width: [3, 4], seed: [0, 1, 2] },
        ...{ net: "mlp:${width}", data: "few:train", seed: "${seed}", epochs: 1 },
      },
    },
    measurements: measurements as StudyDescription["measurements"],
    tables: {
      together: {
        ...{ title: "Together", of: "together", each: "labels", by: ["width", "number"] },
        columns: { width: { title: "Width" }, number: { title: "Number" } },
      },
      equal: { title: "Once", of: "together", by: ["width"], columns: { equal: column("equal") } },
      pairs: {
        ...{ title: "Pairs", of: "pairs", by: ["width", "pair"] },
        columns: { pair: { title: "Pair" }, tensors: column("tensors") },
      },
      moved: { title: "Aligned", of: "pairs", by: [], columns: { moved: { title: "Moved", max: "moved" } } },
      given: {
        title: "As trained",
        of: "given",
        by: [],
        columns: { moved: { title: "Moved", max: "moved" } },
      },
    },
  };
  const kinds = await loadStudyTasks();
  const { study: result, failures } = await runStudy(study, {
    ...{ engine: engine.name, openData, folder: join(folder, "study") },
    executor: { capacity: 1, run: (task, control) => runTask(kinds, task, { engine, openData }, control) },
  });
  expect(failures).toEqual([]);
  const rows = Object.fromEntries((result?.tables ?? []).map((table) => [table.name, table.rows]));
  expect(rows["together"]).toEqual([3, 4].flatMap((width) => [1, 2, 3].map((number) => ({ width, number }))));
  expect(rows["equal"]).toEqual([{ equal: 1 }, { equal: 1 }]);
  expect(rows["pairs"]).toEqual(
    [3, 4].flatMap(() => ["0-1", "0-2", "1-2"].map((pair) => ({ pair, tensors: 8 }))),
  );
  expect([rows["moved"], rows["given"]]).toEqual([[{ moved: 1 }], [{ moved: 0 }]]);
});
