import { type Measurement, titlesOfFiles } from "@isthmus/findings";
import { createPath } from "@isthmus/interpolation";
import { describeMechanisms } from "./describe-mechanisms.ts";
import { MECHANISMS_FIELDS, type MechanismsChoice, measureMechanisms } from "./measure-mechanisms.ts";
import type { MechanismsResult } from "./mechanisms-result.ts";

/** Measurement, on several sets of examples, of whether two networks predict by the same mechanisms. */
export const MECHANISMS: Measurement<"pair-on-sets", MechanismsChoice, MechanismsResult> = {
  kind: "mechanisms",
  version: 1,
  attempt: "measure mechanisms",
  subject: "pair-on-sets",
  isOnLine: true,
  options: MECHANISMS_FIELDS,
  examples: [
    [
      "--data mnist:test@1000 --cue place --align --report mechanisms.html",
      "whether B, trained with a patch that tells the class, predicts as A, which has not seen the patch, and how errors change between both",
    ],
    [
      "--data npz:photos.npz --set drawings=npz:drawings.npz -o mechanisms.json",
      "two data sets of your own: of --data, and of --set",
    ],
  ],
  form: async () => (await import("./mechanisms-form.ts")).MECHANISMS_FORM,
  describe: describeMechanisms,
  titleOf: ({ a, b }) => `Mechanisms of ${titlesOfFiles([a, b]).join(" and ")}`,
  async run({ graph, engine, a, b, end, sets, statisticsData }, options, { signal, report }) {
    const name = b === end ? "line" : "line to B aligned";
    return measureMechanisms({ graph, engine }, [a, b], sets, {
      ...options,
      statisticsData,
      signal,
      path: { name, path: createPath("linear", a, b) },
      onProgress: ({ set, done }) => report(`Measuring on: ${set}`, done),
    });
  },
};
