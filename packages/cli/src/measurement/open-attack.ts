import { basename } from "node:path";
import { at, expandPaths, UsageError } from "@isthmus/core";
import type { SourceSubject } from "@isthmus/findings";
import { HELP_GROUPS } from "../options/help-groups.ts";
import { collect } from "../options/parse-values.ts";
import { addSharedOptions, openNetworks, type SubjectForm } from "./open-subject.ts";

/** Options that name the networks that adversarial examples are made on. */
interface SourceFlags {
  readonly surrogate?: readonly string[] | undefined;
  readonly together?: readonly string[] | undefined;
  readonly inTurn?: readonly string[] | undefined;
}

/** Networks of a source by their paths. */
interface NamedSource extends Omit<SourceSubject, "networks"> {
  readonly paths: readonly string[];
}

/**
 * Way in which a command names and opens networks that adversarial examples are made on, and networks that
 * they are shown to.
 */
export const ATTACK_FORM: SubjectForm = {
  arguments: [
    [
      "<targets...>",
      "networks that changed examples are shown to; * and ? are wildcards for files",
      "'nets/*.safetensors'",
    ],
  ],
  addOptions(command) {
    addSharedOptions(command);
    command
      .optionsGroup(HELP_GROUPS.networks)
      .option(
        "--surrogate <file>",
        "a network that examples are made on alone, of several matches each; may be repeated",
        collect,
      )
      .option(
        "--together <files>",
        "networks that examples are made on by the mean of their logits, such as 'nets/*.pt'; may be repeated",
        collect,
      )
      .option(
        "--in-turn <files>",
        "networks of which one makes each step, as LGV does; may be repeated",
        collect,
      );
  },
  async open(request, context, work) {
    const targets = await expandPaths(request.paths);
    const sources = await expandSources(request.flags as SourceFlags);
    const paths = [...new Set([...targets, ...sources.flatMap((source) => source.paths)])];
    return openNetworks({ ...request, paths }, context, ({ networks, ...opened }, shared) => {
      const networkOf = (path: string) => at(networks, paths.indexOf(path), "network").network;
      const subject = {
        ...opened,
        targets: targets.map(networkOf),
        sources: sources.map(({ name, mode, paths: of }) => ({ name, mode, networks: of.map(networkOf) })),
      };
      return work({ ...shared, subject });
    });
  },
};

async function expandSources({
  surrogate = [],
  together = [],
  inTurn = [],
}: SourceFlags): Promise<readonly NamedSource[]> {
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
