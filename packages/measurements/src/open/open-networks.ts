import { at, expandPaths, noteTwice, UsageError } from "@isthmus/core";
import { sharedExamples } from "@isthmus/data";
import type { SourceSubject, Subjects } from "@isthmus/findings";
import { basename } from "@isthmus/platform";
import { chooseDirections } from "./choose-directions.ts";
import type { OpenSubject } from "./open-subject.ts";
import type { OpenedFacts, OpenRequest } from "./opened.ts";
import type { SourceNames, StarredOptions } from "./subject-options.ts";
import { type FurtherExamples, type NetworksRequest, withNetworks } from "./with-networks.ts";

/** Opens one network. */
export const openNetwork: OpenSubject<"network"> = (request, work) =>
  withNetworks(request, ({ networks, ...opened }, facts) =>
    work({ ...facts, subject: { ...opened, network: at(networks, 0, "network").network } }),
  );

/** Opens several networks of one architecture. */
export const openNetworks: OpenSubject<"networks"> = (request, work) =>
  withNetworks(request, (subject, facts) => work({ ...facts, subject }));

/** Opens three networks of a plane, and others that are placed in it. */
export const openPlane: OpenSubject<"plane"> = (request, work) => {
  const paths = [...request.paths, ...(request.options.place ?? [])];
  return withNetworks({ ...request, paths }, ({ networks, ...opened }, facts) => {
    const modelOf = (index: number) => at(networks, index, "network");
    const models = [modelOf(0), modelOf(1), modelOf(2)] as const;
    return work({ ...facts, subject: { ...opened, models, placed: networks.slice(models.length) } });
  });
};

/** Opens a network, and the networks that its landscape is laid along. */
export const openLandscape: OpenSubject<"landscape"> = async (request, work) => {
  const { directions, others } = await chooseDirections(request.options);
  const paths = [at(request.paths, 0, "path"), ...others];
  return withNetworks({ ...request, paths }, ({ networks, ...opened }, facts) =>
    work({
      ...facts,
      implied: { ...facts.implied, directions },
      subject: { ...opened, network: at(networks, 0, "network"), others: networks.slice(1) },
    }),
  );
};

/** Opens several networks of one architecture, and a star beside them. */
export const openStarred: OpenSubject<"networks-and-star"> = (request, work) =>
  withStarred(request, (subject, facts) => {
    // Training examples that statistics are measured on decide the result, although no option names them.
    if (subject.statisticsData !== undefined) request.options.onOpen?.(subject.statisticsData);
    return work({ ...facts, subject });
  });

/** Opens networks that predict alone and together, with their star. */
export const openEnsemble: OpenSubject<"ensemble"> = (request, work) => {
  const { data, beside, oodData = [], statisticsData } = request.options;
  const selectData = beside?.["selectionData"];
  if (selectData !== undefined) assertSelectedApart(data, selectData);
  return withStarred({ ...request, others: oodData }, async (subject, facts, { others, open }) => {
    const networks = subject.networks.map(({ network }) => network);
    const measured = statisticsData === undefined ? undefined : await open(statisticsData);
    return work({ ...facts, subject: { ...subject, networks, others, statisticsData: measured } });
  });
};

/** Opens networks that share an architecture, whose names may have wildcards, and their star. */
async function withStarred<T>(
  request: NetworksRequest & OpenRequest<StarredOptions>,
  work: (subject: Subjects["networks-and-star"], facts: OpenedFacts, further: FurtherExamples) => Promise<T>,
): Promise<T> {
  const { star, onNote = () => {} } = request.options;
  const paths = await expandPaths(request.paths);
  noteTwice(paths, onNote);
  const all = star === undefined ? paths : [...paths, star];
  return withNetworks({ ...request, paths: all }, ({ networks, ...subject }, facts, further) =>
    work(
      { ...subject, networks: networks.slice(0, paths.length), star: networks[paths.length]?.network },
      facts,
      further,
    ),
  );
}

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

/** Networks of a source by their paths. */
interface NamedSource extends Omit<SourceSubject, "networks"> {
  readonly paths: readonly string[];
}

/** Opens networks that adversarial examples are made on, and networks that they are shown to. */
export const openAttack: OpenSubject<"attack"> = async (request, work) => {
  const targets = await expandPaths(request.paths);
  const sources = await expandSources(request.options);
  const paths = [...new Set([...targets, ...sources.flatMap((source) => source.paths)])];
  return withNetworks({ ...request, paths }, ({ networks, ...opened }, facts) => {
    const networkOf = (path: string) => at(networks, paths.indexOf(path), "network").network;
    const subject = {
      ...opened,
      targets: targets.map(networkOf),
      sources: sources.map(({ name, mode, paths: of }) => ({ name, mode, networks: of.map(networkOf) })),
    };
    return work({ ...facts, subject });
  });
};

async function expandSources({
  surrogate = [],
  together = [],
  inTurn = [],
}: SourceNames): Promise<readonly NamedSource[]> {
  const alone = await expandPaths(surrogate);
  const sources = alone.map((path): NamedSource => {
    return { name: basename(path), mode: "together", paths: [path] };
  });
  for (const [patterns, mode] of [
    [together, "together"],
    [inTurn, "in-turn"],
  ] as const) {
    for (const pattern of patterns) {
      const paths = await expandPaths(pattern.split(","));
      sources.push({ name: `${paths.length} networks ${mode.replace("-", " ")}`, mode, paths });
    }
  }
  if (sources.length > 0) return sources;
  throw new UsageError(
    "Cannot attack networks as examples must be made on some: give --surrogate, --together or --in-turn",
  );
}
