import { join } from "node:path";
import { at, type Checkpoint, InputError, noteTwice, UsageError, withCheckpoints } from "@isthmus/core";
import { alignMany, type LearnManyResult } from "@isthmus/weight-matching";
import { assertArchitecture, assertNoModelFolder } from "@isthmus/zoo";
import { describeEnd, describeFactors, describeSteps } from "../format/describe-learned.ts";
import { formatProof, type ProofScope, proofScope } from "../format/format-proof.ts";
import { formatPairs } from "../format/format-table.ts";
import { manyLearningOf } from "../options/many-options.ts";
import { followAlignment } from "../terminal/follow-alignment.ts";
import type { Context, Outcome } from "../verb.ts";
import { keepLearning } from "./keep-learning.ts";
import { openToAlign } from "./open-to-align.ts";
import {
  ALIGNMENTS,
  type AlignSeveralOptions,
  assertNothingStale,
  isThere,
  placesOf,
  saveOne,
} from "./save-several.ts";

/**
 * Checks that no file of permutations is asked for, which does not hold the rotations that are learned.
 * @throws UsageError if one is
 */
export function assertNoPermutations({
  output,
  saveAlignment,
}: Pick<AlignSeveralOptions, "output" | "saveAlignment">): void {
  const only = output.endsWith(".json") ? output : saveAlignment;
  if (only === undefined) return;
  throw new UsageError(
    `Cannot align with --method learned to "${only}" as it holds permutations only, and rotations are learned: name a .safetensors file or a folder with -o, and leave --save-alignment out`,
  );
}

/**
 * Brings any number of networks to one of them by learning, all at once, and writes all of them; goes on
 * from the state that an interrupted run left beside the output.
 */
export async function learnSeveral(
  paths: readonly string[],
  options: AlignSeveralOptions,
  context: Context,
): Promise<Outcome> {
  const { output } = options;
  assertNoPermutations(options);
  const places = placesOf(paths, output, { list: "" });
  noteTwice(paths, context.terminal.note);
  return withCheckpoints(paths, async (checkpoints) => {
    const inputs = checkpoints.flatMap(({ files }) => files);
    await assertArchitecture("align", paths, options);
    await assertNoList(output);
    await assertNothingStale(output, places);
    for (const path of places) await assertNoModelFolder(path, paths);
    return keepLearning({ output, inputs }, context, async (keeping) => {
      const { architecture, examples } = await openToAlign(paths, checkpoints, options, context);
      const { learning, ...rest } = manyLearningOf(options, examples.get("data"), paths.length);
      const result = await alignMany(architecture, architecture.networks, {
        ...rest,
        learning: { ...learning, ...keeping },
        ...followAlignment("learned", context),
      });
      const outputs = await saveAll(result, { places, checkpoints, paths, options }, context);
      const { binding } = architecture;
      return {
        result: { ...describeSeveral(result, paths), binding, outputs },
        text: format(result, proofScope(options, binding), { paths, outputs }),
      };
    });
  });
}

/**
 * Checks that the folder has no list of permutations, which would say how other networks were aligned.
 * @throws InputError if it has one
 */
async function assertNoList(output: string): Promise<void> {
  const list = join(output, ALIGNMENTS);
  if (!(await isThere(list))) return;
  throw new InputError(
    `Cannot align into "${output}" as its ${ALIGNMENTS} lists permutations of an earlier alignment, and what is learned is more than permutations: remove it, or name another folder`,
    { input: list },
  );
}

interface SaveAllRequest {
  readonly places: readonly string[];
  readonly checkpoints: readonly Checkpoint[];
  readonly paths: readonly string[];
  readonly options: AlignSeveralOptions;
}

async function saveAll(
  result: LearnManyResult,
  { places, ...request }: SaveAllRequest,
  context: Context,
): Promise<string[]> {
  const outputs: string[] = [];
  for (const [i, place] of places.entries())
    outputs.push(...(await saveOne(result, i, { ...request, place }, context)));
  return outputs;
}

/** Describes the learned alignment of several networks as plain data, as `--json` prints it. */
function describeSeveral({ aligned, match }: LearnManyResult, paths: readonly string[]) {
  const { symmetries: _, reference, ...shared } = match;
  return {
    method: "learned",
    ...shared,
    reference: at(paths, reference, "reference"),
    networks: aligned.map(({ summary }, i) => ({ checkpoint: at(paths, i, "path"), ...summary })),
  };
}

function format(
  { aligned, match }: LearnManyResult,
  scope: ProofScope,
  { paths, outputs }: { readonly paths: readonly string[]; readonly outputs: readonly string[] },
): string {
  const loss = (objective: number) => (-objective).toFixed(4);
  const { objective, reference } = match;
  const moved = aligned.reduce((sum, { summary }) => sum + summary.moved, 0);
  const worst = Math.max(...aligned.map(({ summary }) => summary.verified.maxRelativeError));
  return formatPairs([
    ["method", "learned, all at once"],
    ...describeFactors(match),
    describeSteps(match, moved),
    ["loss of the mean", `${loss(objective.before)} as trained, ${loss(objective.after)} at the end`],
    ...describeEnd(match),
    ["coordinates", `of ${at(paths, reference, "reference")}; with it`],
    ...aligned.flatMap(({ summary: { start } }, i): [string, string][] =>
      start === null
        ? []
        : [
            [
              `  ${at(paths, i, "path")}`,
              `loss half-way ${loss(start.closedForm)} in closed form, ${loss(start.descent)} after descent by weights`,
            ],
          ],
    ),
    ["verified", formatProof("each network computes", worst, scope)],
    ["wrote", outputs.join(", ")],
  ]);
}
