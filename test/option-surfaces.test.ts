import { BARRIER } from "@isthmus/barrier";
import { type AnyField, entry, findMisfit } from "@isthmus/core";
import type { AnyMeasurement } from "@isthmus/findings";
import { listMeasurements, loadMeasurements } from "@isthmus/measurements";
import { loadStudyTasks } from "@isthmus/study";
import { describe, expect, it } from "vitest";
import type * as z from "zod";
import { listFlagged, wordsOf } from "../packages/cli/src/measurement/field-options.ts";
import { flaggedFields } from "../packages/cli/src/measurement/training-flags.ts";
import { listVerbs } from "../packages/cli/src/verbs.ts";
import { loadMeasurementSchema } from "../packages/study/src/file/measurement-schema.ts";
import { toTaskOptions } from "../packages/study/src/measurement/entry-params.ts";

interface Measured {
  readonly kind: string;
  readonly task: string;
  readonly verb: string;
  readonly fields: Readonly<Record<string, AnyField>>;
  /** How it trains, if it does: a command has flags such as `--lr` for the fields of a training. */
  readonly training: Pick<AnyMeasurement, "trains" | "training">;
}

const verbOf = new Map(listMeasurements().map(({ kind, verb }) => [kind, verb]));
const alike = (kind: string, fields: Measured["fields"]): Measured => {
  return { kind, task: kind, verb: kind, fields, training: {} };
};

/** Every measurement with its fields: the ones that have definitions, then the ones that have fields alone. */
const MEASURED: readonly Measured[] = [
  ...(await loadMeasurements()).map((training): Measured => {
    const { kind, task = kind, options } = training;
    return { kind, task, verb: entry(verbOf, kind, "measurement"), fields: options, training };
  }),
  { ...alike("barrier", BARRIER.options), task: BARRIER.task ?? BARRIER.kind },
];

const OF_PAIRS = "the seed of a command with two networks is that of their alignment, too";
/** Options of commands that have other words than their fields, each with the reason. */
const REWORDED: readonly (readonly [kind: string, option: string, reason: string])[] = [
  ["layers", "seed", OF_PAIRS],
  ["dropout-path", "seed", OF_PAIRS],
  ["walked-path", "seed", OF_PAIRS],
  ["landscape", "directions", "a command takes checkpoints as directions, too"],
];

const isReworded = (kind: string, option: string): boolean =>
  REWORDED.some(([what, name]) => what === kind && name === option);

const schema = (await loadMeasurementSchema()) as z.ZodDiscriminatedUnion<z.ZodObject[]>;
/** Schemas of entries of studies by their kinds. */
const entries = new Map(
  schema.options.flatMap((option) => {
    const { values } = option.shape["kind"] as z.ZodLiteral<string>;
    return [...values].map((kind) => [kind, option] as const);
  }),
);
const tasks = await loadStudyTasks();

const DATA = { name: "mnist:test", digest: "0".repeat(32) };
/** Parameters that tasks of some kinds ask for, as errors name a few problems alone. */
const PARAMS = { data: DATA, testData: DATA, trainingData: DATA, layout: "beside", labels: "given" };

describe.each(MEASURED.map((measured) => [measured.kind, measured] as const))(
  "options of %s",
  (_, measured) => {
    const { kind, task, verb, fields, training } = measured;

    it("fields have help, and defaults that fit their forms", () => {
      for (const [name, { help, form, default: missing }] of Object.entries(fields)) {
        expect([name, help.length > 0]).toEqual([name, true]);
        if (missing !== undefined) expect([name, findMisfit(form, missing)]).toEqual([name, undefined]);
      }
    });

    it("the command has each, with the same help and default", async () => {
      const create = await listVerbs()[verb]?.load();
      const options = create?.(async () => {}).options ?? [];
      for (const { path, flag, field } of listFlagged(flaggedFields({ ...training, options: fields }))) {
        const { help, form, default: missing } = field;
        const isDenied = form.type === "flag" && missing === true && path.length === 1;
        const option = options.find(({ long }) => long === (isDenied ? `--no-${flag}` : `--${flag}`));
        const { description = "none", defaultValue } = option ?? {};
        const [name] = path;
        expect([flag, description.includes(help)]).toEqual([flag, !isReworded(kind, name)]);
        expect([flag, description]).not.toEqual([flag, "none"]);
        // An option that takes no value has no default to say.
        if (form.type === "flag" || form.type === "group" || field.placeholder === "") continue;
        if (String(missing ?? "") === "") continue;
        const words = `${description} (default: ${wordsOf(defaultValue)})`;
        expect([flag, words]).toEqual([flag, expect.stringMatching(`default: .*${wordsOf(missing)}`)]);
      }
    });

    it("an entry of a study has each, with the same help and form", () => {
      const shape = entries.get(kind)?.shape ?? {};
      for (const [name, { help, tasksOnly = false, default: missing }] of Object.entries(fields)) {
        // The seed of a study is that of everything in it.
        if (name === "seed" || tasksOnly) continue;
        const option = shape[name] as z.ZodType | undefined;
        expect([name, option?.description]).toEqual([name, help]);
        expect([name, option?.safeParse(missing).success]).toEqual([name, true]);
      }
    });

    it("a task has each, and no others", () => {
      const known = tasks.get(task);
      const refusalOf = (name: string): string => {
        try {
          const option = { [name]: { "no such": "value" } };
          // Options that change examples stand beside these.
          const params = training.training?.options.includes(name)
            ? { ...option, options: {} }
            : { options: toTaskOptions(training, option) };
          known?.assertParams?.({ ...PARAMS, ...params });
        } catch (error) {
          return String(error);
        }
        return "none";
      };
      for (const [name] of Object.entries(fields))
        expect(refusalOf(name)).toMatch(
          new RegExp(`"params\\.(options\\.)?(${training.trains?.param}\\.)?${name}\\b`),
        );
      expect(refusalOf("no such option")).toContain("no such option");
    });
  },
);
