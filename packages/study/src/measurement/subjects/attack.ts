import { at } from "@isthmus/core";
import { SOURCE_MODES, type SourceMode } from "@isthmus/ensemble";
import { text } from "@isthmus/forms";
import { pathsOf } from "@isthmus/tasks";
import * as z from "zod";
import type { WantedValues } from "../../description/wanted-values.ts";
import { WHERE } from "../../file/entry-fields.ts";
import { filesOfAll } from "../../plan/planned-network.ts";
import { selectNetworks } from "../../plan/select-networks.ts";
import { TASK_DATA } from "../../tasks/task-schema.ts";
import { withCheckpoints } from "../open-shared.ts";
import type { SubjectForm } from "../subject-form.ts";
import { CELL_SELECTION, type CellSelection, planEachCell } from "./networks.ts";

/** Selection of the networks that adversarial examples are made on. */
export interface SourceChoice {
  /** Name of their group. */
  readonly of: string;
  /** Only networks whose variables have these values. @defaultValue all */
  readonly where?: WantedValues;
  /** Way in which several of them make one attack. @defaultValue "together" */
  readonly mode?: SourceMode;
}

/** Networks of a group that are attacked, and the networks that examples are made on. */
export interface AttackSelection extends CellSelection {
  /** Networks that adversarial examples are made on, by the name of the source. */
  readonly sources: Readonly<Record<string, SourceChoice>>;
}

/** A source as a task names it; the networks of source number i are the input {@link sourceInput}. */
interface TaskSource {
  readonly name: string;
  readonly mode: SourceMode;
}

/** Returns the name of the input that holds the networks of a source, by its number from 0. */
const sourceInput = (index: number): string => `source-${index + 1}`;

const mode = z.enum(SOURCE_MODES);

/**
 * Way in which studies select and open networks that adversarial examples are made on, and networks that are
 * attacked.
 */
export const ATTACK_FORM: SubjectForm<
  "attack",
  AttackSelection,
  { readonly sources: readonly TaskSource[] }
> = {
  selection: {
    ...CELL_SELECTION,
    sources: z.record(
      z.string(),
      z.strictObject({ of: z.string(), where: WHERE.optional(), mode: mode.optional() }),
    ),
  },
  params: { data: TASK_DATA, sources: z.array(z.strictObject({ name: text, mode })).min(1) },
  paths: [],
  plan(planned) {
    const { entry, context } = planned;
    const chosen = Object.entries(entry.sources).map(([name, source]) => {
      const networks = selectNetworks(context.groups, source.of, source.where);
      return { name, mode: source.mode ?? "together", weights: networks.map(({ weights }) => weights) };
    });
    const sources = Object.fromEntries(chosen.map(({ weights }, index) => [sourceInput(index), weights]));
    return planEachCell(
      planned,
      async () => ({ sources: chosen.map(({ name, mode }) => ({ name, mode })) }),
      ({ networks: targets }) => {
        const { networks = [], ...architecture } = filesOfAll(targets);
        return {
          inputs: { ...architecture, targets: networks, ...sources },
          label: `attack ${targets.length} ${entry.of}, ${entry.data}`,
        };
      },
    );
  },
  open(opening, work) {
    const { params, inputs } = opening;
    const { sources } = params;
    const targets = pathsOf(inputs, "targets");
    const made = sources.map((_, index) => pathsOf(inputs, sourceInput(index)));
    const paths = [...new Set([...targets, ...made.flat()])];
    return withCheckpoints(opening, paths, (networks, shared) => {
      const named = (of: string, group: readonly string[]) =>
        group.map((path, member) => {
          return { ...at(networks, paths.indexOf(path), "network"), source: `${of} ${member + 1}` };
        });
      return work({
        ...shared,
        targets: named("target", targets),
        sources: sources.map(({ name, mode }, index) => {
          return { name, mode, networks: named(name, at(made, index, "source")) };
        }),
      });
    });
  },
};
