import { Option } from "@commander-js/extra-typings";
import { UsageError } from "@isthmus/core";
import {
  ALIGN_TARGET_SPELLINGS,
  ALIGN_TARGETS,
  type AlignTarget,
  alignTargetOf,
  LAYER_POLICIES,
  type LayerPolicyName,
  type StrategyDescription,
  TREATMENTS,
  type Treatment,
} from "@isthmus/federated";
import { InvalidArgumentError } from "commander";
import { type AddOptions, optionGroup } from "../options/option-group.ts";
import { collect, parseNumber } from "../options/parse-values.ts";

/** Options that describe how a server combines updates. */
export type StrategyVerbOptions = {
  /** Rule that makes one change of all updates, with its parameters: `krum:f=2`. @defaultValue "fedavg" */
  readonly rule: string;
  /** Steps that change updates before the rule, in order, such as `nnm:f=2`. @defaultValue none */
  readonly before?: readonly string[] | undefined;
  /** Optimiser of the server with its parameters: `adam:learningRate=0.1`. @defaultValue "average" */
  readonly server: string;
  /** Largest norm of an update; longer updates are shortened to it. @defaultValue not shortened */
  readonly clip?: number | undefined;
  /** Policy that says which layers clients share. @defaultValue "all" */
  readonly policy: LayerPolicyName;
  /** Pattern of the layers that are the head, for policies that distinguish it. @defaultValue no head */
  readonly head?: string | undefined;
  /** Treatments of single layers, each as `PATTERN=TREATMENT`. @defaultValue the treatments of the policy */
  readonly layer?: readonly string[] | undefined;
  /**
   * Numerator of the scale of adapters, or `rank`. @defaultValue the settings of folders of PEFT; without
   * settings all adapters must have one rank
   */
  readonly adapterAlpha?: number | "rank" | undefined;
  /**
   * Networks to which the units of updates are permuted: the global network, or each other.
   * @defaultValue updates are not aligned
   */
  readonly align?: AlignTarget | undefined;
};

/** Adds the options that describe how a server combines updates. */
export const addStrategyOptions: AddOptions<StrategyVerbOptions> = optionGroup((command) => {
  command
    .option("--rule <name:parameters>", "what makes one change of all updates, as krum:f=2", "fedavg")
    .option("--before <name:parameters>", "a step before the rule, as nnm:f=2; repeat for several", collect)
    .option("--server <name:parameters>", "the server's optimiser, as adam:learningRate=0.1", "average")
    .option("--clip <norm>", "shorten longer updates to this norm first", parseNumber)
    .addOption(
      new Option("--policy <name>", "which layers are shared; fedper and lg need --head")
        .choices(LAYER_POLICIES)
        .default("all" as const),
    )
    .option("--head <pattern>", "the layers that are the head, as fc*")
    .option(
      "--layer <pattern=treatment>",
      `share, average or keep some layers, as conv1=keep; repeat`,
      collect,
    )
    .option(
      "--adapter-alpha <number>",
      "alpha of LoRA adapters of several ranks, whose scale is alpha / rank; or the word rank",
      parseAlpha,
    )
    .addOption(
      new Option("--align <to>", "permute units to match the global network, or each other")
        .choices(ALIGN_TARGETS)
        .argParser(parseAlignTarget),
    );
});

/**
 * Describes the strategy that options ask for.
 * @throws UsageError if a text cannot be read
 */
export function describeStrategy(options: StrategyVerbOptions): StrategyDescription {
  const { rule, before = [], server, clip, policy, head, layer = [], align, adapterAlpha: alpha } = options;
  return {
    rule,
    before,
    server,
    ...(clip === undefined ? {} : { clip }),
    share: {
      policy,
      ...(head === undefined ? {} : { head }),
      layers: Object.fromEntries(layer.map(parseLayer)),
    },
    ...(alpha === undefined ? {} : { adapters: { alpha } }),
    ...(align === undefined ? {} : { align }),
  };
}

/** Reads the numerator of the scale of adapters. */
function parseAlpha(text: string): number | "rank" {
  if (text === "rank") return text;
  const alpha = parseNumber(text);
  if (alpha > 0) return alpha;
  throw new InvalidArgumentError('It must be a number above 0, or "rank".');
}

/** Reads the target that units are matched to; `each other`, as files write it, is accepted, too. */
function parseAlignTarget(text: string): AlignTarget {
  const spelling = ALIGN_TARGET_SPELLINGS.find((one) => one === text);
  if (spelling !== undefined) return alignTargetOf(spelling);
  throw new InvalidArgumentError(`Allowed choices are ${ALIGN_TARGETS.join(", ")}.`);
}

function parseLayer(text: string): [string, Treatment] {
  const [pattern = "", treatment] = splitAt(text, "=");
  if (pattern === "" || !TREATMENTS.includes(treatment as Treatment)) {
    throw new UsageError(
      `Cannot read --layer "${text}" as it must be written PATTERN=${TREATMENTS.join("|")}`,
    );
  }
  return [pattern, treatment as Treatment];
}

function splitAt(text: string, separator: string): [string, string?] {
  const place = text.indexOf(separator);
  return place < 0 ? [text] : [text.slice(0, place), text.slice(place + 1)];
}
