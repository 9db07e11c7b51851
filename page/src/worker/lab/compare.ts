import { at, withCheckpoints } from "@isthmus/core";
import {
  adviseMerge,
  compareNetworks,
  describeWay,
  formatAdvisedRecipe,
  judgeMerge,
  listTree,
  readModelFacts,
  traceDescent,
  VERDICT_MEANINGS,
} from "@isthmus/recipe";
import type { Handling } from "../protocol.ts";
import { commandOf } from "./commands.ts";
import type { Compared, ComparedPair, WithCommand, WorkProgress } from "./lab-requests.ts";

/** Compares networks, and judges whether they can be merged. */
export async function compareFiles(
  paths: readonly string[],
  { signal, report }: Handling<WorkProgress>,
): Promise<WithCommand<Compared>> {
  const began = performance.now();
  const facts = await Promise.all(paths.map(readModelFacts));
  return withCheckpoints(paths, async (checkpoints) => {
    const comparison = await compareNetworks(checkpoints, {
      facts,
      signal,
      onProgress: ({ done, phase }) => report({ done, stage: phase === "reading" ? "Reading" : "Comparing" }),
    });
    const { verdict, confidence, findings, pairs: verdicts } = judgeMerge(comparison);
    const pairs = comparison.pairs.map((pair, index): ComparedPair => {
      const judged = at(verdicts, index, "verdict");
      const { distance, cosine, kinship, tensors } = pair;
      return {
        a: at(paths, pair.a, "path"),
        b: at(paths, pair.b, "path"),
        verdict: judged.verdict,
        confidence: judged.confidence,
        evidence: judged.evidence,
        distance,
        cosine,
        kinship,
        tensors: tensors.map((tensor) => ({ name: tensor.name, distance: tensor.distance })),
      };
    });
    const advice = adviseMerge(comparison, { judged: { pairs: verdicts } });
    const descent = traceDescent(comparison);
    const isTree = paths.length > 2 && descent.parents.some((parent) => parent !== null);
    return {
      verdict,
      meaning: VERDICT_MEANINGS[verdict],
      confidence,
      sampled: comparison.sampled,
      pairs,
      findings,
      advice: {
        way: describeWay(advice, paths),
        reason: advice.reason,
        recipe: formatAdvisedRecipe(comparison, advice),
      },
      tree: isTree ? listTree(descent).map(({ lines, network }) => lines + at(paths, network, "path")) : [],
      seconds: (performance.now() - began) / 1000,
      command: commandOf("compare", ...paths),
    };
  });
}
