import { UsageError } from "@isthmus/core";
import type { DrawableResult } from "@isthmus/report";
import type { NormPolicy, StatisticsChoice } from "@isthmus/statistics";
import { formatOutputs } from "../format/format-outputs.ts";
import type { PairOptions } from "../options/pair-options.ts";
import { assertPageName } from "../output/assert-output.ts";
import { saveResult } from "../result/save-result.ts";
import type { Context, Outcome } from "../verb.ts";
import { type Pair, withPair } from "./open-pair.ts";

/** Options of a verb that measures a pair and writes the result. */
export interface MeasuredPairOptions extends PairOptions {
  readonly output?: string | undefined;
  readonly report?: string | undefined;
}

/** How a verb measures a pair, and shows the result. */
export interface PairMeasurement<R> {
  readonly measure: (pair: Pair) => Promise<R>;
  readonly format: (result: R) => string;
}

/**
 * Opens two networks, measures something on them, and writes the result and its page where options name files
 * for them.
 */
export async function measurePair<R extends DrawableResult>(
  { paths, options }: { readonly paths: readonly [string, string]; readonly options: MeasuredPairOptions },
  context: Context,
  { measure, format }: PairMeasurement<R>,
): Promise<Outcome> {
  const { output, report } = options;
  if (report !== undefined) assertPageName(report);
  const outputs = [output, report].filter((file) => file !== undefined);
  return withPair({ paths, options, outputs }, context, async (pair) => {
    const result = await measure(pair);
    await saveResult(result, { output, report }, { inputs: pair.inputs, context });
    return {
      result: { ...result, ...(pair.summary && { alignment: pair.summary }), binding: pair.binding },
      text: format(result) + formatOutputs(outputs),
    };
  });
}

/**
 * Returns the policy for batch norms of networks that are no averages of two.
 * @param attempt - what is attempted, for messages
 * @param auto - the policy if none was chosen
 * @throws UsageError if the choice is of averages
 */
export function normPolicyOf(attempt: string, statistics: StatisticsChoice, auto: NormPolicy): NormPolicy {
  if (statistics === "repair" || statistics === "repair-closed-form") {
    throw new UsageError(
      `Cannot ${attempt} as --statistics must be keep or recalibrate, as its networks are no averages of two: it is ${statistics}`,
    );
  }
  return statistics === "auto" ? auto : statistics;
}
