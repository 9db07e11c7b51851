import { type Checkpoint, readJsonFile } from "@isthmus/core";
import { basename, dirname, join, stat } from "@isthmus/platform";
import type { MergeFinding } from "./findings/merge-finding.ts";

/** A network, and the weights of the adapter that changes it. */
interface AdaptedNetwork {
  readonly base: Checkpoint;
  readonly adapter: Checkpoint;
  /** Path of the adapter, for messages. */
  readonly name: string;
}

/** Settings of an adapter, or of a model, from the JSON beside its weights. */
type Settings = Readonly<Record<string, unknown>>;

/**
 * Finds adapters that say that they were made for another model than the one that they change: by the
 * architecture in the metadata of GGUF, by the class of the model, or by its name. An adapter of another
 * architecture is an error if GGUF says so; names may differ for one model, so that they are a warning.
 */
export async function findOtherBases(networks: readonly Checkpoint[]): Promise<readonly MergeFinding[]> {
  const findings = networks.map(async (network, position) => {
    const pairs = adaptedIn(network);
    return (await Promise.all(pairs.map(judge))).flatMap((finding) =>
      finding === undefined ? [] : [{ ...finding, networks: [position] }],
    );
  });
  return (await Promise.all(findings)).flat();
}

/** Lists the adapted networks of which a network is made. */
function adaptedIn(network: Checkpoint): readonly AdaptedNetwork[] {
  const [base, adapter, ...others] = network.inputs;
  const [name] = network.source.split(`${base?.source} with `).slice(1);
  const isAdapted = base !== undefined && adapter !== undefined && others.length === 0;
  const here = isAdapted && name !== undefined ? [{ base, adapter, name }] : [];
  return [...here, ...network.inputs.flatMap(adaptedIn)];
}

async function judge({
  base,
  adapter,
  name,
}: AdaptedNetwork): Promise<Omit<MergeFinding, "networks"> | undefined> {
  const both = `the adapter "${name}" and "${base.source}"`;
  const [stored = adapter] = adapter.inputs;
  const [of, onto] = [stored, base].map(({ metadata }) => metadata["general.architecture"]);
  if (of !== undefined && onto !== undefined && of !== onto) {
    return {
      kind: "model-types",
      severity: "error",
      message: `${both} are of other architectures: ${of} and ${onto}`,
      advice: "put an adapter on the model for which it was made",
    };
  }
  const settings = await settingsBeside(adapter, "adapter_config.json");
  const config = await settingsBeside(base, "config.json");
  const [madeFor, put] = [familyOf(settings), familyOf(config)];
  if (madeFor !== undefined && put !== undefined && madeFor !== put) {
    return {
      kind: "model-types",
      severity: "warning",
      message: `${both} are of other architectures: ${madeFor} and ${put}`,
      advice: "put an adapter on the model for which it was made",
    };
  }
  const stated = settings["base_model_name_or_path"];
  if (typeof stated !== "string" || stated === "") return undefined;
  const names = namesOf(base, config);
  if (names.includes(lastPart(stated))) return undefined;
  return {
    kind: "adapter",
    severity: "warning",
    message: `the adapter "${name}" says that it was made for "${stated}": it changes "${base.source}"`,
    advice: "ignore this if both are one model, or if the adapter is meant for a relative of its base",
  };
}

/** Reads settings beside the weights of a network; an empty object if there are none. */
async function settingsBeside({ files: [file] }: Checkpoint, name: string): Promise<Settings> {
  if (file === undefined) return {};
  const path = join(dirname(file), name);
  if (!(await stat(path).catch(() => undefined))?.isFile()) return {};
  const json = await readJsonFile(path, { within: dirname(file) });
  return typeof json === "object" && json !== null ? (json as Settings) : {};
}

/** Returns the name of a family of models, such as `Llama`, from the class that settings name. */
function familyOf(settings: Settings): string | undefined {
  const [architecture] = Array.isArray(settings["architectures"]) ? settings["architectures"] : [];
  const mapping = settings["auto_mapping"] as { readonly base_model_class?: unknown } | null | undefined;
  const name: unknown = architecture ?? mapping?.base_model_class;
  if (typeof name !== "string") return undefined;
  return /^(.+?)(?:For[A-Z]\w*|(?:LMHead|DoubleHeads|Text)?Model)$/.exec(name)?.[1];
}

/** Lists the names by which a model may be known: of its folder or file, on the hub, and in its config. */
function namesOf({ source, files }: Checkpoint, config: Settings): readonly string[] {
  const { _name_or_path: stated } = config;
  const onHub = files.flatMap((file) => {
    const [, name] = /models--.+?--([^/\\]+)/.exec(file) ?? [];
    return name === undefined ? [] : [name];
  });
  const folders = files.map((file) => dirname(file));
  return [source, ...files, ...folders, ...onHub, ...(typeof stated === "string" ? [stated] : [])].map(
    lastPart,
  );
}

/** Returns the last part of a path or of a name on the hub, without a revision. */
function lastPart(name: string): string {
  const [plain = ""] = basename(name.replace(/[\\/]+$/, "")).split("@");
  return plain.toLowerCase();
}
