import { type Checkpoint, closestName, UsageError } from "@isthmus/core";
import { isMatrix } from "../find-transposed.ts";
import { moduleOf } from "../module-of.ts";
import type { Pair } from "./read-difference.ts";
import { fitsModule, fitsTensor, type RolePatterns } from "./tensor-roles.ts";

/** Patterns of one option, with the tensors that they may choose. */
interface PatternChoice {
  /** Option of the command, by which messages name the patterns. */
  readonly option: string;
  /** Patterns that were given. */
  readonly patterns: readonly string[];
  /** Names of the tensors that the patterns may choose. */
  readonly names: readonly string[];
  /** Description of these tensors, for messages. */
  readonly kind: string;
  /** Returns the option that takes a tensor before this one does; undefined if none takes it. */
  readonly takenBy: (name: string) => string | undefined;
}

/**
 * Checks that every pattern of an extraction chooses something: that it fits a tensor or module, and that the
 * patterns of another option do not take all that it fits.
 * @throws UsageError if a pattern chooses nothing; the message names the closest name
 */
export function assertPatterns(
  { tuned, base }: Pair,
  { saveModules = [], factorModules = [], exclude = [] }: RolePatterns,
): void {
  const excludedBy = (name: string) => (fitsTensor(exclude, name) ? "--exclude" : undefined);
  const savedBy = (name: string) => (fitsModule(saveModules, moduleOf(name)) ? "--save-module" : undefined);
  const choices: readonly PatternChoice[] = [
    {
      option: "--exclude",
      patterns: exclude,
      names: [...new Set([...tuned.tensors.keys(), ...base.tensors.keys()])],
      kind: "a module or tensor",
      takenBy: () => undefined,
    },
    {
      option: "--save-module",
      patterns: saveModules,
      names: [...tuned.tensors.keys()],
      kind: "a module",
      takenBy: excludedBy,
    },
    {
      option: "--factor-module",
      patterns: factorModules,
      names: matricesOf(tuned),
      kind: "a module whose weight is a matrix",
      takenBy: (name) => excludedBy(name) ?? savedBy(name),
    },
  ];
  for (const choice of choices) assertChoice(choice, tuned);
}

function matricesOf({ tensors }: Checkpoint): readonly string[] {
  return [...tensors].filter(([name, info]) => isMatrix(name, info)).map(([name]) => name);
}

function assertChoice(
  { option, patterns, names, kind, takenBy }: PatternChoice,
  { source }: Checkpoint,
): void {
  const fits = option === "--exclude" ? fitsTensor : fitsPattern;
  for (const pattern of patterns) {
    const fitting = names.filter((name) => fits([pattern], name));
    const attempt = `Cannot extract an adapter from "${source}" with ${option} "${pattern}"`;
    if (fitting.length === 0) {
      const closest = closestName(pattern, writtenNames(names, option === "--exclude"));
      throw new UsageError(
        `${attempt} as it must fit the name of ${kind}, or the end of one: none fits${closest === undefined ? "; --explain lists the modules" : `; did you mean "${closest}"?`}`,
      );
    }
    const takers = new Set(fitting.map(takenBy));
    if (takers.has(undefined)) continue;
    throw new UsageError(
      `${attempt} as ${[...takers].join(" and ")} must not take all that it fits: give one of them for these modules`,
    );
  }
}

const fitsPattern = (patterns: readonly string[], tensor: string): boolean =>
  fitsModule(patterns, moduleOf(tensor));

/** Lists what users may write for tensors: the last part of a module, the module, and perhaps the tensor. */
function writtenNames(names: readonly string[], withTensors: boolean): readonly string[] {
  const modules = names.map(moduleOf);
  const lasts = modules.map((module) => module.slice(module.lastIndexOf(".") + 1));
  return [...new Set([...lasts, ...modules, ...(withTensors ? names : [])])].filter((name) => name !== "");
}
