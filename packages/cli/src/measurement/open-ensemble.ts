import { UsageError } from "@isthmus/core";
import { sharedExamples } from "@isthmus/data";
import { HELP_GROUPS } from "../options/help-groups.ts";
import { collect } from "../options/parse-values.ts";
import { NETWORK_ARGUMENTS, openStarred } from "./open-starred.ts";
import { addSharedOptions, type SubjectForm } from "./open-subject.ts";

/** Options that name the networks and examples that an ensemble is compared with. */
interface EnsembleFlags {
  readonly selectData?: string | undefined;
  readonly oodData?: readonly string[] | undefined;
  readonly statisticsData?: string | undefined;
}

/**
 * Way in which a command names and opens several networks that predict alone and together, with their star.
 */
export const ENSEMBLE_FORM: SubjectForm = {
  arguments: NETWORK_ARGUMENTS,
  addOptions(command) {
    addSharedOptions(command);
    command
      .optionsGroup(HELP_GROUPS.networks)
      .option("--star <file>", "compare a star network, too, and networks on its rays to the networks")
      .option(
        "--ood-data <name>",
        "examples of other data, scaled as --data, on which predictions should be unsure; may be repeated",
        collect,
      )
      .option(
        "--statistics-data <name>",
        "examples on which batch norms of the mean of weights are measured (default: the first 2,500 of --data)",
      );
  },
  async open(request, context, work) {
    const { selectData, oodData = [], statisticsData } = request.flags as EnsembleFlags;
    if (selectData !== undefined) assertSelectedApart(request.flags.data, selectData);
    const asked = { ...request, others: oodData };
    return openStarred(asked, context, async (subject, shared, { others, open }) => {
      const networks = subject.networks.map(({ network }) => network);
      const measured = statisticsData === undefined ? undefined : await open(statisticsData);
      return work({ ...shared, subject: { ...subject, networks, others, statisticsData: measured } });
    });
  },
};

/**
 * Checks by the names of data that no example is both predicted and used to choose the ensemble, which would
 * flatter the choice.
 */
function assertSelectedApart(data: string, selectData: string): void {
  const shared = sharedExamples(data, selectData);
  if (shared === undefined) return;
  const { first, last } = shared;
  const range = last === undefined ? `from ${first} on` : `${first} to ${last}`;
  throw new UsageError(
    `Cannot compare ensembles on --data "${data}" as the greedy ensemble must be chosen on other examples: --select-data "${selectData}" shares examples ${range}; name ranges apart, such as mnist:test@1000 and mnist:test@1001..2000, or another split`,
  );
}
