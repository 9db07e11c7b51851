import { createHash } from "node:crypto";
import { expect, it } from "vitest";
import { fewImages } from "../../test/few-images.ts";
import { SMALL_STUDY } from "../../test/small-study.ts";
import type { StudyDescription } from "../description/study-description.ts";
import { planStudy } from "./plan-study.ts";

/** Batches as they were before they became smaller for few examples, on which nothing could be trained then. */
const batch = 128;
const trained = Object.fromEntries(
  Object.entries(SMALL_STUDY.networks).map(([name, network]) => [name, { ...network, batch }]),
);

/** A study with tasks of every kind. */
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
