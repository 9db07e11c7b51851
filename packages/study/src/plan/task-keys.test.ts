import { createHash } from "node:crypto";
import { createTensor } from "@isthmus/core";
import { createDataSet } from "@isthmus/data";
import { unfold } from "@isthmus/forms";
import { listMeasurements } from "@isthmus/measurements";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { formatTasks } from "../../../../test/helpers/format-tasks.ts";
import { type EveryEntry, FULL_ENTRIES, REQUIRED_ENTRIES } from "../../test/every-entry.ts";
import { fewImages } from "../../test/few-images.ts";
import { SMALL_STUDY } from "../../test/small-study.ts";
import type { StudyDescription } from "../description/study-description.ts";
import { loadMeasurementSchema } from "../file/measurement-schema.ts";
import { listGroupMakers, networkSchemaOf } from "../networks/makers.ts";
import { loadStudyTasks } from "../tasks/task-kinds.ts";
import { planStudy } from "./plan-study.ts";

/** Batches as they were before they became smaller for few examples, on which nothing could be trained then. */
const batch = 128;
const trained = Object.fromEntries(
  Object.entries(SMALL_STUDY.networks).map(([name, network]) => [name, { ...network, batch }]),
);

/** A study with tasks of the kinds that there were at first. */
const STUDY: StudyDescription = {
  ...SMALL_STUDY,
  networks: {
    ...trained,
    stars: { for: { width: [4, 8] }, star: "mlps", data: "few:train", seed: 9, epochs: 2, batch },
  },
  measurements: {
    ...SMALL_STUDY.measurements,
    layers: { kind: "layers", between: "mlps", where: { width: 4 }, align: "weight", data: "few:test" },
    held: { kind: "barrier", between: ["stars", "mlps"], data: "few:test", statisticsData: "few:train" },
  },
};

// Values of version 0.0.0. They change only with the version of a kind: a changed key runs tasks of studies
// that were begun before once more.
it("planStudy() gives tasks the keys they always had, so that a study begun earlier goes on", async () => {
  const openData = async (name: string) => fewImages(name);
  const { tasks } = await planStudy(STUDY, { engine: "onnxruntime", openData });
  const first = new Map<string, string>();
  for (const { kind, key } of tasks) if (!first.has(kind)) first.set(kind, key);
  expect(Object.fromEntries(first)).toEqual({
    align: "a0bdc9ddc661f0923604bc7d",
    barrier: "8a9cf6a2a97d0c185375a349",
    layers: "16b4ac18dd6a211a16917aa4",
    star: "3690e9aa48f6c33c774d9e73",
    train: "176aff100aedb0a9b390fe87",
  });
  const text = tasks.map(({ key, label }) => `${key} ${label}\n`).join("");
  expect(tasks).toHaveLength(62);
  expect(createHash("sha256").update(text).digest("hex")).toBe(
    "48e49f403eee23d5db2a5a31ae752ed5e28f14c7f6b287c270b0ef94c75d9fd0",
  );
});

it("planStudy() gives tasks that merge networks the keys they always had", async () => {
  const openData = async (name: string) => fewImages(name);
  const measurements: StudyDescription["measurements"] = {
    merged: {
      kind: "merge",
      for: { many: ["ensemble", "cycle"] },
      of: "mlps",
      // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of the study
      many: "${many}",
      data: "few:test",
      statisticsData: "few:train",
    },
  };
  const study = { ...SMALL_STUDY, networks: trained, measurements, tables: {} };
  const { tasks } = await planStudy(study, { engine: "onnxruntime", openData });
  const first = new Map<string, string>();
  for (const { kind, key } of tasks) if (!first.has(kind)) first.set(kind, key);
  expect(Object.fromEntries(first)).toEqual({
    ensemble: "8e0d227f85947d354d5c84f8",
    match: "dc64195b78428aeced9bafd2",
    merge: "4d0f365d6b97385e15bce801",
    train: "176aff100aedb0a9b390fe87",
  });
});

it("planStudy() gives trainings by the name of a loss the keys of the described loss", async () => {
  const openData = async (name: string) => fewImages(name);
  const keysBy = async (loss: object | string): Promise<readonly string[]> => {
    const of = { data: "few:train", seed: 0, epochs: 1, loss };
    const one = { ...of, where: { seed: 0 } };
    const networks: object = {
      trained: { ...of, for: { seed: [0, 1] }, net: "mlp:4" },
      tuned: { ...one, tune: "trained" },
      star: { ...of, star: "trained" },
      pruned: { ...one, prune: "trained", sparsity: 0.5 },
      collected: { ...one, collect: "trained", method: "posterior" },
      tickets: { ...of, net: "mlp:4", tickets: "gradient", sparsity: 0.5 },
    };
    const measurements: object = {
      dimension: { kind: "intrinsic-dimension", net: "mlp:4", trainOn: "few:train", data: "few:test", loss },
      curve: {
        kind: "curve",
        between: "trained",
        ...{ trainOn: "few:train", data: "few:test", epochs: 1, loss },
      },
    };
    const study = { title: "Losses", networks, measurements, tables: {} } as StudyDescription;
    const { tasks } = await planStudy(study, { engine: "onnxruntime", openData });
    return tasks.map(({ kind, key }) => `${kind} ${key}`);
  };
  const named = await keysBy("cross-entropy");
  const kinds = ["train", "tune", "star", "prune", "collect", "tickets", "intrinsic-dimension", "curve"];
  expect(named.map((task) => task.split(" ")[0])).toEqual(kinds);
  expect(named).toEqual(await keysBy({ kind: "cross-entropy" }));
  expect(named).not.toEqual(await keysBy({ kind: "cross-entropy", labelSmoothing: 0.1 }));
});

const ROOT = new URL("../../../../", import.meta.url).pathname;
const digits = createTensor("f32", [4, 1, 28, 28], new Float32Array(4 * 28 * 28));

const planEntries = (study: StudyDescription) =>
  planStudy(study, {
    engine: "none",
    openData: async (name) =>
      name.startsWith("digits")
        ? createDataSet(digits, Int32Array.from([0, 1, 2, 3]), { name })
        : fewImages(name, name.length),
  });

/** Lists the keys of a schema of one kind or, by the value that tells them apart, of several. */
function* keysOf(
  schema: z.ZodType,
  name: string,
): Generator<readonly [kind: string, keys: readonly string[]]> {
  if (schema instanceof z.ZodObject) yield [name, Object.keys(schema.shape)];
  if (!(schema instanceof z.ZodDiscriminatedUnion)) return;
  const { discriminator } = schema.def;
  for (const option of schema.options) {
    if (!(option instanceof z.ZodObject)) continue;
    const literal = option.shape[discriminator];
    yield [String((literal as z.ZodLiteral<string>).value), Object.keys(option.shape)];
  }
}

/** Lists the keys that the entries of a study have together, by what tells the kinds of entries apart. */
function namedBy(entries: EveryEntry["measurements"] | EveryEntry["networks"]): Map<string, Set<string>> {
  const named = new Map<string, Set<string>>();
  for (const repeated of Object.values(entries)) {
    for (const { entry } of unfold<object>(
      { name: "entries", of: "study" },
      repeated as Parameters<typeof unfold>[1],
    )) {
      const kind = kindOf(entry);
      named.set(kind, new Set([...(named.get(kind) ?? []), ...Object.keys(entry)]));
    }
  }
  return named;
}

const kindOf = (
  entry: object & { readonly kind?: string; readonly tickets?: string; readonly method?: string },
) => {
  if (entry.kind !== undefined) return entry.kind;
  if (entry.tickets !== undefined) return entry.tickets;
  const makers = ["star", "tune", "prune", "quantize", "teleport", "collect", "scatter", "net", "graph"];
  const maker = makers.find((key) => key in entry) ?? "";
  return maker === "tune" && entry.method === "cbft" ? "cbft" : maker;
};

const NETWORKS: Readonly<Record<string, z.ZodType>> = {
  ...Object.fromEntries(
    listGroupMakers().map((maker) => [maker.way?.[1] ?? maker.key, networkSchemaOf(maker)] as const),
  ),
};

/** Options that the files in test/golden do not have, as they came later; no key has them unless an entry does. */
const LATER: Readonly<Record<string, readonly string[]>> = {
  curvature: [
    "labelSamples",
    "lossGraph",
    "fisher",
    "sharing",
    "damping",
    "derivatives",
    "step",
    "points",
    "width",
    "criticalSharpness",
    "learningCoefficient",
  ],
  "dropout-stability": ["statisticsData"],
  map: ["ground", "through"],
  quantize: ["layers"],
  ensemble: ["align"],
  landscape: ["statisticsData"],
  star: ["starts"],
  "walked-path": ["bezier"],
  curve: ["augment", "remainder", "freeze", "threads", "saveEvery"],
  pareto: ["remainder", "augment", "freeze", "threads", "saveEvery"],
  "intrinsic-dimension": ["remainder", "augment", "freeze", "threads", "saveEvery"],
};

/** Only curves had a loss from the beginning, that of their training; other measurements have one of late. */
const withoutLoss = (kind: string, keys: readonly string[]): readonly string[] =>
  keys.filter((key) => key !== "loss" || kind === "curve");

// Files in test/golden were written by version 0.1.0. What changes in them runs again in studies begun before.
describe("tasks of entries of every kind", () => {
  it.each([
    ["required", REQUIRED_ENTRIES],
    ["full", FULL_ENTRIES],
  ])("planStudy() gives entries with %s options the tasks they always had", async (name, study) => {
    const { tasks } = await planEntries(study);
    // Labels name files by their path on this machine.
    const text = formatTasks(tasks, { kinds: await loadStudyTasks(), most: 100 }).replaceAll(ROOT, "");
    await expect(text).toMatchFileSnapshot(`../../test/golden/tasks-of-${name}-entries.txt`);
  });

  it("the full entries name every option that a file may, but for options that came later", async () => {
    const options = Object.entries(NETWORKS).flatMap(([name, schema]) => [...keysOf(schema, name)]);
    const networks = namedBy(FULL_ENTRIES.networks);
    const measurements = namedBy(FULL_ENTRIES.measurements);
    const asOfOld = (kind: string, keys: readonly string[]) =>
      keys.filter((key) => !LATER[kind]?.includes(key)).sort();
    for (const [name, keys] of options)
      expect([...(networks.get(name) ?? [])].sort()).toEqual(asOfOld(name, keys));
    const kinds = [...keysOf(await loadMeasurementSchema(), "")];
    // Two are no measurements by definition: a barrier is a comparison, and merges are plans of several tasks.
    const defined = [...listMeasurements().map(({ kind }) => kind), "barrier", "merge"];
    expect(kinds.map(([kind]) => kind).sort()).toEqual(defined.sort());
    for (const [kind, keys] of kinds)
      expect([...(measurements.get(kind) ?? [])].sort()).toEqual(asOfOld(kind, withoutLoss(kind, keys)));
  });

  it("the required entries are of every kind, too", () => {
    expect([...namedBy(REQUIRED_ENTRIES.networks).keys()].sort()).toEqual(
      [...namedBy(FULL_ENTRIES.networks).keys()].sort(),
    );
    expect([...namedBy(REQUIRED_ENTRIES.measurements).keys()].sort()).toEqual(
      [...namedBy(FULL_ENTRIES.measurements).keys()].sort(),
    );
  });
});
