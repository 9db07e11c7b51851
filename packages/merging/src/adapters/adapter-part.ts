import { MismatchError } from "@isthmus/core";
import type { Adapter } from "./adapter.ts";
import { type AdapterPart, splitModuleName, styleOf } from "./names/name-style.ts";

/** Networks of a pipeline, by whose names users name a part of an adapter. */
const PARTS: readonly AdapterPart[] = [
  ...(["unet", "transformer", "prior"] as const),
  ...(["text_encoder", "text_encoder_2", "text_encoder_3"] as const),
];

/** An adapter, or the part of it that changes one network of a pipeline. */
export interface PartName {
  /** Network of the pipeline; undefined if the whole adapter is meant. */
  readonly part: AdapterPart | undefined;
  /** Path of the adapter, or its name on the Hugging Face hub. */
  readonly path: string;
}

/** Splits `unet:adapter` into the network and the path; `./unet:adapter` is a path alone. */
export function splitAdapterPart(name: string): PartName {
  const part = PARTS.find((one) => name.startsWith(`${one}:`) && name.length > one.length + 1);
  return { part, path: part === undefined ? name : name.slice(part.length + 1) };
}

/** The part of an adapter that changes one network, and the numbers of its other modules. */
export interface SelectedPart {
  /** The adapter with the modules of that network alone. */
  readonly adapter: Adapter;
  /** Number of modules of other networks, by network; `other` counts names without a network. */
  readonly left: ReadonlyMap<AdapterPart | "other", number>;
}

/**
 * Selects the modules of an adapter that change one network of a pipeline, by the prefixes of their names.
 * @throws MismatchError if the adapter has no module of that network
 */
export function selectAdapterPart(adapter: Adapter, part: AdapterPart): SelectedPart {
  const style = styleOf(adapter.naming);
  const partOf = (module: string) => splitModuleName(style, module).part;
  const names = [...adapter.modules.keys(), ...adapter.multiplied.keys()];
  const left = new Map<AdapterPart | "other", number>();
  for (const name of names) {
    const of = partOf(name);
    if (of !== part) left.set(of ?? "other", (left.get(of ?? "other") ?? 0) + 1);
  }
  const ofPart = <T>(modules: ReadonlyMap<string, T>) =>
    new Map([...modules].filter(([name]) => partOf(name) === part));
  const selected = { ...adapter, modules: ofPart(adapter.modules), multiplied: ofPart(adapter.multiplied) };
  if (selected.modules.size + selected.multiplied.size > 0) return { adapter: selected, left };
  const others = [...left].map(([name, count]) => `${count} of ${name}`).join(", ");
  throw new MismatchError(
    `Cannot apply the part "${part}" of adapter "${adapter.source}" as it must have modules of that network: it has ${others}`,
    { parameters: [] },
  );
}
